import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GuestKeyboard } from "./guest-keyboard.ts";
import type { KeyboardMode } from "./guest-keyboard.ts";
import { ModelGuest, keyEvent } from "./guest.testing.ts";
import type { KeyboardPlatform } from "./key-event.ts";
import { KeyboardLayout, LAYOUT_NAMES } from "./layout.ts";

function setUp(options: { layout?: string; mode?: KeyboardMode; platform?: KeyboardPlatform } = {}) {
  const layout = new KeyboardLayout(options.layout ?? "us");
  const guest = new ModelGuest(layout);
  const impossible: string[] = [];
  let timer: (() => void) | undefined;
  const keyboard = new GuestKeyboard({
    send: guest.receive,
    layout,
    mode: options.mode,
    platform: () => options.platform ?? "other",
    onImpossible: (characters) => impossible.push(...characters),
    setTimer: (callback) => (timer = callback),
    clearTimer: () => (timer = undefined),
  });
  /** The guest has seen what was sent, and its LEDs are reported. */
  const settle = () => keyboard.setLeds(guest.leds);
  const tap = (...args: Parameters<typeof keyEvent>) => {
    keyboard.keyDown(keyEvent(...args));
    return keyboard.keyUp(keyEvent(...args));
  };
  return { guest, keyboard, impossible, tap, settle, runTimer: () => timer?.() };
}

describe("AltGr", () => {
  const windows = { modifiers: ["Control", "Alt", "AltGraph"] };

  test.each(["windows", "other"] as const)("as Windows sends it, on %s, is one key", (platform) => {
    const { guest, keyboard } = setUp({ layout: "de", platform });
    keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"] }));
    keyboard.keyDown(keyEvent("AltRight", "AltGraph", windows));
    keyboard.keyDown(keyEvent("KeyQ", "@", windows));
    keyboard.keyUp(keyEvent("KeyQ", "@", windows));
    keyboard.keyUp(keyEvent("ControlLeft", "Control", { modifiers: ["Alt"] }));
    const { freed } = keyboard.keyUp(keyEvent("AltRight", "AltGraph"));
    expect(guest.sent).toBe("e0 38 | 10 | 90 | e0 b8");
    expect(guest.text).toBe("@");
    expect(freed).toBe(false);
  });

  test("is one key also where the browser takes it for Control and Alt", () => {
    for (const layout of ["us", "de"]) {
      const { guest, keyboard } = setUp({ layout });
      keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"] }));
      keyboard.keyDown(keyEvent("AltRight", "Alt", { modifiers: ["Control", "Alt"] }));
      keyboard.keyDown(keyEvent("KeyQ", "q", { modifiers: ["Control", "Alt"] }));
      keyboard.keyUp(keyEvent("KeyQ", "q", { modifiers: ["Control", "Alt"] }));
      keyboard.keyUp(keyEvent("ControlLeft", "Control", { modifiers: ["Alt"] }));
      expect(keyboard.keyUp(keyEvent("AltRight", "Alt")).freed).toBe(false);
      expect(guest.sent).toBe("e0 38 | 10 | 90 | e0 b8");
    }
  });

  test("held for long repeats both keys, and still only AltGr is down", () => {
    const { guest, keyboard } = setUp({ layout: "de", platform: "windows" });
    for (const repeat of [false, true, true]) {
      keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"], repeat }));
      keyboard.keyDown(keyEvent("AltRight", "AltGraph", { ...windows, repeat }));
    }
    expect([...guest.down]).toEqual(["AltRight"]);
  });

  test("whose Control came too early for the wait takes it back", () => {
    const { guest, keyboard, runTimer } = setUp({ layout: "de", platform: "windows" });
    keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"] }));
    runTimer();
    expect([...guest.down]).toEqual(["ControlLeft"]);
    keyboard.keyDown(keyEvent("AltRight", "AltGraph", windows));
    expect([...guest.down]).toEqual(["AltRight"]);
  });

  test("types by the guest's layout where that has no AltGr", () => {
    const { guest, tap, keyboard } = setUp({ layout: "us" });
    keyboard.keyDown(keyEvent("AltRight", "AltGraph", { modifiers: ["AltGraph"] }));
    tap("KeyQ", "@", { modifiers: ["AltGraph"] });
    keyboard.keyUp(keyEvent("AltRight", "AltGraph"));
    expect(guest.text).toBe("@");
    expect(guest.sent).not.toContain("38");
  });

  test("as Control and Alt by hand on Windows types the character without them", () => {
    const { guest, keyboard, tap } = setUp({ layout: "de", platform: "windows" });
    keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"] }));
    keyboard.keyDown(keyEvent("AltLeft", "Alt", { modifiers: ["Control", "Alt"] }));
    tap("KeyQ", "@", { modifiers: ["Control", "Alt"] });
    expect(guest.text).toBe("@");
    expect([...guest.down]).toEqual(["ControlLeft", "AltLeft"]);
  });
});

describe("Control held back for AltGr", () => {
  const control = keyEvent("ControlLeft", "Control", { modifiers: ["Control"] });
  test.each([
    [
      "a key",
      ({ tap }: ReturnType<typeof setUp>) => void tap("KeyC", "c", { modifiers: ["Control"] }),
      "1d | 2e | ae",
    ],
    ["the pointer", ({ keyboard }: ReturnType<typeof setUp>) => keyboard.pointerActs(), "1d"],
    ["time", ({ runTimer }: ReturnType<typeof setUp>) => runTimer(), "1d"],
    ["its own end", ({ keyboard }: ReturnType<typeof setUp>) => void keyboard.keyUp(control), "1d | 9d"],
    ["the loss of the focus", ({ keyboard }: ReturnType<typeof setUp>) => keyboard.releaseAll(), ""],
  ])("%s ends the wait", (_, end, sent) => {
    const set = setUp();
    expect(set.keyboard.keyDown(control).handled).toBe(true);
    expect(set.guest.sent).toBe("");
    end(set);
    expect(set.guest.sent).toBe(sent);
  });
});

describe("the chord that frees the keyboard", () => {
  test.each([
    [["ControlLeft", "Control"], ["AltLeft", "Alt"], true],
    [["AltLeft", "Alt"], ["ControlLeft", "Control"], true],
    [["ControlRight", "Control"], ["AltLeft", "Alt"], true],
    [["ControlRight", "Control"], ["AltRight", "Alt"], true],
    [["ControlRight", "Control"], ["AltRight", "AltGraph"], false],
    [["ControlLeft", "Control"], ["AltRight", "Alt"], false],
    [["ControlLeft", "Control"], ["AltRight", "AltGraph"], false],
    [["ControlLeft", "Control"], ["ShiftLeft", "Shift"], false],
  ])("%j with %j: %s", (first, second, expected) => {
    const { keyboard } = setUp({ layout: "de" });
    keyboard.keyDown(keyEvent(first[0], first[1], { isTrusted: false }));
    keyboard.keyDown(keyEvent(second[0], second[1], { isTrusted: false }));
    const { freed } = keyboard.keyUp(keyEvent(first[0], first[1], { isTrusted: false }));
    expect(freed).toBe(expected);
  });

  test("is none with another key, or a click, in it", () => {
    const { keyboard, tap } = setUp();
    const press = () => {
      keyboard.keyDown(keyEvent("ControlLeft", "Control", { modifiers: ["Control"] }));
      keyboard.keyDown(keyEvent("AltLeft", "Alt", { modifiers: ["Control", "Alt"] }));
    };
    press();
    tap("Delete", "Delete", { modifiers: ["Control", "Alt"] });
    expect(keyboard.keyUp(keyEvent("AltLeft", "Alt")).freed).toBe(false);
    keyboard.releaseAll();
    press();
    keyboard.pointerActs();
    expect(keyboard.keyUp(keyEvent("AltLeft", "Alt")).freed).toBe(false);
  });
});

describe("macOS", () => {
  test.each(["mac", "other"] as const)("what Command swallows is let go of with it (%s)", (platform) => {
    const { guest, keyboard } = setUp({ platform });
    keyboard.keyDown(keyEvent("MetaLeft", "Meta", { modifiers: ["Meta"] }));
    keyboard.keyDown(keyEvent("KeyC", "c", { modifiers: ["Meta"] }));
    keyboard.keyDown(keyEvent("ArrowLeft", "ArrowLeft", { modifiers: ["Meta"] }));
    keyboard.keyUp(keyEvent("MetaLeft", "Meta"));
    expect(guest.sent).toContain("2e");
    expect([...guest.down]).toEqual([]);
  });

  test("a key held while Command comes and goes is let go of too", () => {
    const { guest, keyboard } = setUp({ platform: "mac" });
    keyboard.keyDown(keyEvent("KeyC", "c"));
    keyboard.keyDown(keyEvent("MetaLeft", "Meta", { modifiers: ["Meta"] }));
    keyboard.keyUp(keyEvent("MetaLeft", "Meta"));
    expect([...guest.down]).toEqual([]);
  });

  test.each([
    [
      "only one event for each change",
      [
        ["down", true],
        ["up", false],
      ],
    ],
    [
      "both for each",
      [
        ["down", true],
        ["up", true],
        ["down", false],
        ["up", false],
      ],
    ],
  ] as const)("Caps Lock, %s", (_, events) => {
    const { guest, keyboard, settle } = setUp({ platform: "mac" });
    for (const [type, on] of events) {
      const event = keyEvent("CapsLock", "CapsLock", { modifiers: on ? ["CapsLock"] : [] });
      if (type === "down") keyboard.keyDown(event);
      else keyboard.keyUp(event);
      settle();
      expect(guest.leds).toBe(on ? 4 : 0);
    }
    expect([...guest.down]).toEqual([]);
  });

  test("Option types what it makes if the guest can, and is Alt otherwise", () => {
    const { guest, keyboard, tap } = setUp({ platform: "mac", layout: "de" });
    keyboard.keyDown(keyEvent("AltLeft", "Alt", { modifiers: ["Alt"] }));
    tap("KeyL", "@", { modifiers: ["Alt"] });
    expect(guest.text).toBe("@");
    guest.calls.length = 0;
    tap("KeyF", "ƒ", { modifiers: ["Alt"] });
    expect(guest.sent).toBe("21 | a1");
    expect([...guest.down]).toEqual(["AltLeft"]);
  });
});

describe("characters", () => {
  test("a character whose Shift was never pressed (automation, remote desktops)", () => {
    const { guest, tap } = setUp();
    for (const [code, key] of [
      ["Digit4", "$"],
      ["Digit9", "("],
      ["Digit9", "("],
      ["Digit6", "6"],
      ["Digit8", "*"],
    ] as const)
      tap(code, key, { isTrusted: true });
    expect(guest.text).toBe("$((6*");
    expect([...guest.down]).toEqual([]);
  });

  test("keys without code: a phone's, an input method's, a scanner's", () => {
    const { guest, tap } = setUp({ layout: "de" });
    for (const key of "Grüße@9") tap("", key);
    tap("", "Enter");
    tap("Unidentified", "z");
    expect(guest.text).toBe("Grüße@9\nz");
    expect([...guest.down]).toEqual([]);
  });

  test("a key of an input method is the browser's", () => {
    const { guest, keyboard } = setUp();
    expect(keyboard.keyDown(keyEvent("KeyA", "Process", { keyCode: 229 })).handled).toBe(false);
    expect(keyboard.keyDown(keyEvent("", "Unidentified", { keyCode: 229 })).handled).toBe(false);
    expect(keyboard.keyDown(keyEvent("BracketLeft", "Dead")).handled).toBe(false);
    expect(guest.sent).toBe("");
  });

  test("a German keyboard at a guest with the US layout types what it says", () => {
    const { guest, tap, keyboard, impossible } = setUp();
    tap("KeyY", "z");
    keyboard.keyDown(keyEvent("ShiftLeft", "Shift", { modifiers: ["Shift"] }));
    for (const [code, key] of [
      ["Digit7", "/"],
      ["Digit0", "="],
      ["Digit2", '"'],
      ["KeyZ", "Y"],
      ["Digit6", "&"],
    ] as const)
      tap(code, key, { modifiers: ["Shift"] });
    keyboard.keyUp(keyEvent("ShiftLeft", "Shift"));
    tap("Minus", "ß");
    expect(guest.text).toBe('z/="Y&');
    expect(impossible).toEqual(["ß"]);
    expect([...guest.down]).toEqual([]);
  });

  test("by position, the guest's layout decides", () => {
    const { guest, tap } = setUp({ mode: "positions" });
    tap("KeyY", "z");
    tap("Digit4", "$");
    expect(guest.text).toBe("y4");
  });

  test("the same layout at both ends sends nothing but the keys themselves, held as long as they are", () => {
    const { guest, keyboard } = setUp({ layout: "fr" });
    keyboard.keyDown(keyEvent("ShiftLeft", "Shift", { modifiers: ["Shift"] }));
    keyboard.keyDown(keyEvent("Digit1", "1", { modifiers: ["Shift"] }));
    keyboard.keyDown(keyEvent("Digit1", "1", { modifiers: ["Shift"], repeat: true }));
    expect(guest.sent).toBe("2a | 2 | 2");
  });

  test("chords: letters are themselves, everything else its place", () => {
    const { guest, keyboard, tap } = setUp();
    keyboard.keyDown(keyEvent("ControlRight", "Control", { modifiers: ["Control"] }));
    tap("KeyY", "z", { modifiers: ["Control"] });
    tap("KeyC", "с", { modifiers: ["Control"] });
    tap("Digit1", "&", { modifiers: ["Control"] });
    expect(guest.sent).toBe("e0 1d | 2c | ac | 2e | ae | 2 | 82");
  });

  test("a chord whose modifier nobody pressed", () => {
    const { guest, tap } = setUp();
    tap("KeyC", "c", { modifiers: ["Control"] });
    expect(guest.sent).toBe("1d | 2e | ae | 9d");
  });

  test("Caps Lock of the person's own machine", () => {
    const { guest, tap, settle } = setUp();
    for (const key of "ABC") {
      tap(`Key${key}`, key, { modifiers: ["CapsLock"] });
      settle();
    }
    expect(guest.text).toBe("ABC");
    tap("KeyD", "d");
    settle();
    expect(guest.text).toBe("ABCd");
    expect(guest.leds).toBe(0);
  });

  test("a guest that never shows its LEDs is not asked twice", () => {
    const { guest, tap } = setUp();
    for (const key of "ABC") tap(`Key${key}`, key, { modifiers: ["CapsLock"] });
    expect(guest.sent.match(/3a/g)).toHaveLength(1);
    expect(guest.text).toBe("ABC");
  });

  test("the keypad types digits where the person's does, and arrows where it does", () => {
    const { guest, tap, settle } = setUp();
    tap("Numpad7", "7", { modifiers: ["NumLock"] });
    settle();
    expect(guest.text).toBe("7");
    tap("Numpad7", "Home");
    settle();
    expect(guest.leds).toBe(0);
    expect(guest.text).toBe("7");
    tap("NumpadParenLeft", "(");
    expect(guest.text).toBe("7(");
    expect([...guest.down]).toEqual([]);
  });
});

describe("keys", () => {
  test("what the person's system made of a key counts", () => {
    const { guest, keyboard } = setUp();
    keyboard.keyDown(keyEvent("CapsLock", "Escape"));
    keyboard.keyDown(keyEvent("AltLeft", "Meta", { modifiers: ["Meta"] }));
    expect([...guest.down]).toEqual(["Escape", "MetaLeft"]);
  });

  test.each([
    ["PrintScreen", "PrintScreen", "e0 37 | e0 b7"],
    ["Pause", "Pause", "e1 1d 45 e1 9d c5"],
    ["AudioVolumeUp", "AudioVolumeUp", "e0 30 | e0 b0"],
    ["VolumeUp", "AudioVolumeUp", "e0 30 | e0 b0"],
    ["BrowserBack", "BrowserBack", "e0 6a | e0 ea"],
    ["MediaPlayPause", "MediaPlayPause", "e0 22 | e0 a2"],
    ["LaunchMail", "LaunchMail", "e0 6c | e0 ec"],
    ["Lang1", "HangulMode", "f2"],
    ["KanaMode", "KanaMode", "70 | f0"],
    ["Convert", "Convert", "79 | f9"],
    ["IntlRo", "\\", "2b | ab"],
    ["IntlYen", "¥", ""],
    ["F13", "F13", "5d | dd"],
    ["OSLeft", "OS", "e0 5b | e0 db"],
    ["Power", "Power", ""],
    ["", "ArrowUp", "e0 48 | e0 c8"],
  ])("%s", (code, key, sent) => {
    const { guest, tap } = setUp();
    tap(code, key);
    expect(guest.sent).toBe(sent);
  });

  test("a Japanese guest gets its own keys", () => {
    const { guest, tap } = setUp({ layout: "jp" });
    tap("IntlRo", "\\");
    tap("IntlYen", "|", { modifiers: [] });
    expect(guest.text).toBe("\\|");
  });

  test("PrintScreen of which only the end is told, SysRq, Break", () => {
    const { guest, keyboard, tap } = setUp();
    keyboard.keyUp(keyEvent("PrintScreen", "PrintScreen"));
    keyboard.keyDown(keyEvent("AltLeft", "Alt", { modifiers: ["Alt"] }));
    tap("PrintScreen", "PrintScreen", { modifiers: ["Alt"] });
    keyboard.keyUp(keyEvent("AltLeft", "Alt"));
    keyboard.keyDown(keyEvent("ControlRight", "Control", { modifiers: ["Control"] }));
    tap("Pause", "Pause", { modifiers: ["Control"] });
    expect(guest.sent).toBe("e0 37 | e0 b7 | 38 | 54 | d4 | b8 | e0 1d | e0 46 e0 c6");
  });

  test("a modifier that went up elsewhere is let go of at the next key", () => {
    const { guest, keyboard, tap } = setUp();
    keyboard.keyDown(keyEvent("MetaLeft", "Meta", { modifiers: ["Meta"] }));
    keyboard.keyDown(keyEvent("ShiftLeft", "Shift", { modifiers: ["Meta", "Shift"] }));
    tap("KeyA", "a");
    expect(guest.text).toBe("a");
    expect([...guest.down]).toEqual([]);
  });
});

describe("text", () => {
  test.each(LAYOUT_NAMES)("every character of the layout %s is typed, whatever is held and lit", (layout) => {
    for (const leds of [0, 4]) {
      const { guest, keyboard } = setUp({ layout });
      guest.leds = leds;
      keyboard.setLeds(leds);
      keyboard.keyDown(keyEvent("ShiftLeft", "Shift", { modifiers: ["Shift"] }));
      for (const levels of guest.layout.levels.values()) {
        for (const character of levels) {
          if (guest.layout.strokes(character) === undefined) continue;
          guest.text = "";
          keyboard.type(character);
          expect(guest.text).toBe(character);
        }
      }
      expect([...guest.down]).toEqual(["ShiftLeft"]);
    }
  });

  test("accents by dead keys, lines, and what has no key is told once each", () => {
    const { guest, keyboard, impossible } = setUp({ layout: "fr" });
    keyboard.type("ça, être à l'hôtel ?\r\n~^ñ 😀 ж ж");
    expect(guest.text).toBe("ça, être à l'hôtel ?\n~^   ");
    expect(impossible).toEqual(["ñ", "😀", "ж"]);
  });

  test("another script lies beside the Latin one", () => {
    const { guest, keyboard } = setUp({ layout: "ru" });
    keyboard.type("echo Привет, мир!");
    expect(guest.text).toBe("echo Привет, мир!");
  });
});

test("nothing is down in the guest after any sequence of events with any end", () => {
  const codes = fc.constantFrom(
    ..."ControlLeft ControlRight AltLeft AltRight ShiftLeft MetaLeft CapsLock NumLock KeyA KeyQ Digit4 Numpad7 Enter".split(
      " ",
    ),
    ..."PrintScreen Pause Lang1 F5 BracketLeft Unidentified Power".split(" "),
    "",
  );
  const keys = fc.constantFrom(
    ..."a @ $ ä Ж Dead Control AltGraph Alt Meta Shift CapsLock Home Enter Process HangulMode".split(" "),
  );
  const modifiers = fc.subarray(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"]);
  const event = fc.record({
    act: fc.constantFrom("down", "up", "pointer", "timer", "text", "leds", "layout"),
    code: codes,
    key: keys,
    modifiers,
    repeat: fc.boolean(),
    isTrusted: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 40 }),
      fc.constantFrom("us", "de", "ru"),
      fc.constantFrom("mac", "windows", "other"),
      fc.constantFrom("characters", "positions"),
      (events, layout, platform, mode) => {
        const { guest, keyboard, runTimer } = setUp({ layout, platform, mode });
        for (const { act, code, key, ...options } of events) {
          if (act === "down") keyboard.keyDown(keyEvent(code, key, options));
          if (act === "up") keyboard.keyUp(keyEvent(code, key, options));
          if (act === "pointer") keyboard.pointerActs();
          if (act === "timer") runTimer();
          if (act === "text") keyboard.type("aÄ@");
          if (act === "leds") keyboard.setLeds(guest.leds);
          if (act === "layout") keyboard.layout = guest.layout = new KeyboardLayout("fr");
        }
        expect(new Set(guest.down)).toEqual(new Set(keyboard.down));
        keyboard.releaseAll();
        expect([...guest.down]).toEqual([]);
      },
    ),
    { numRuns: 2_000 },
  );
});
