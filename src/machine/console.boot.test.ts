import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layoutCommand } from "../host/hands/guest-layout.ts";
import { KeyboardLayout, scancodes } from "../keyboard/index.ts";
import { GUEST_DEADLINE_MS, readBuiltGuest, shell, whyNoGuest, withSerial } from "./built-guest.testing.ts";
import { Machine } from "./machine.ts";
import type { MachineOptions } from "./machine.ts";
import { RecordingRed, silentEvents } from "./machine.testing.ts";
import { collect, restorable } from "../state/state-transfer.ts";
import { eventually } from "../waiting.testing.ts";

const reason = whyNoGuest("console");
if (reason) console.log(`skipped: ${reason}`);

const BOOT_DEADLINE_MS = 600_000;

describe.skipIf(reason)("the console guest", () => {
  let machine: Machine;
  let readyCount = 0;
  const received: number[] = [];
  const agentStates: boolean[] = [];
  const leds: number[] = [];
  const texts: string[] = [];

  const options = (): MachineOptions => ({
    ...readBuiltGuest("console").options,
    sink: new RecordingRed().sink,
    events: silentEvents({
      bootMarker: ({ name }) => void (name === "ready" && readyCount++),
      agentData: async (bytes) => void received.push(...bytes),
      agentState: (open) => void agentStates.push(open),
      leds: (modifiers) => void leds.push(modifiers),
    }),
  });

  // ash asks for the cursor's place (ESC [6n) behind its prompt.
  const prompt = (): boolean => machine.serial.tail.slice(-20).includes("# ");
  const serial = (): string => machine.serial.tail;

  beforeAll(async () => {
    machine = await Machine.create(options());
    const watch = setInterval(() => texts.push(machine.scanout.text.text().join("\n")), 10);
    machine.run();
    await eventually(() => readyCount === 1, withSerial("GUEST ready", serial), 500_000);
    clearInterval(watch);
    // What is typed before the shell has opened its terminal is lost.
    await eventually(prompt, withSerial("shell prompt", serial), GUEST_DEADLINE_MS);
    await shell(machine, "echo shell-$((40+2))", /shell-42/);
  }, BOOT_DEADLINE_MS);

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  test("firmware and kernel were on the screen from the start", () => {
    expect(texts.some((text) => text.includes("SeaBIOS (version"))).toBe(true);
    expect(texts.some((text) => text.includes("Linux version") || text.includes("Booting"))).toBe(true);
  });

  test(
    "the kernel sees usable memory only, and QXL's BARs beyond it",
    async () => {
      const { usable, ram } = machine.layout;
      // The command must not match what its output is recognised by: the console echoes it.
      await shell(
        machine,
        "grep RAM$ /proc/iomem | tail -n 1 | tr a-z A-Z",
        /([0-9A-F]+)-([0-9A-F]+) : SYSTEM RAM/,
      );
      const last = /-([0-9A-F]+) : SYSTEM RAM/.exec(serial());
      expect(Number.parseInt(last?.[1] ?? "", 16)).toBeLessThan(usable);
      const bar0 = ram.base.toString(16).padStart(8, "0");
      await shell(machine, "grep 0000:00:02.0 /proc/iomem", new RegExp(`${bar0}-[0-9a-f]+ : 0000:00:02.0`));
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "the agent's port carries bytes both ways",
    async () => {
      await shell(machine, "cat /sys/class/virtio-ports/vport*/name", /com\.redhat\.spice\.0/);
      await shell(machine, "exec 5<>$(ls /dev/vport*p1); echo opened-$?", /opened-0/);
      await eventually(() => agentStates.at(-1) === true, "open agent port", GUEST_DEADLINE_MS);
      await shell(machine, "printf 'to-host' >&5; echo sent-$?", /sent-0/);
      await eventually(() => received.length >= 7, "bytes from the guest", GUEST_DEADLINE_MS);
      expect(String.fromCharCode(...received)).toBe("to-host");
      await machine.agentPort.write(new TextEncoder().encode("to-guest\n"));
      await shell(machine, "read -r line <&5; echo got-$line", /got-to-guest/);
      await shell(machine, "exec 5>&-; echo closed-$?", /closed-0/);
      await eventually(() => agentStates.at(-1) === false, "closed agent port", GUEST_DEADLINE_MS);
      await expect(machine.agentPort.write(Uint8Array.of(1))).rejects.toThrow(/nobody in the guest/);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "keys reach the guest, and Caps Lock comes back as an LED",
    async () => {
      machine.keyboard.push([0x3a, 0xba]);
      await eventually(() => leds.at(-1) === 4, "Caps Lock LED", GUEST_DEADLINE_MS);
      machine.keyboard.push([0x3a, 0xba]);
      await eventually(() => leds.at(-1) === 0, "Caps Lock LED off", GUEST_DEADLINE_MS);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "its console takes a keyboard layout, and the US one again",
    async () => {
      const typed = async (layout: KeyboardLayout, text: string) => {
        for (const character of `echo '${text}' >/run/typed\n`) {
          for (const { code, shift, altGraph } of layout.strokes(character) ?? []) {
            const modifiers = [...(shift ? ["ShiftLeft"] : []), ...(altGraph ? ["AltRight"] : [])];
            const down = [...modifiers, code].flatMap((key) => scancodes(key, true));
            const up = [code, ...modifiers].flatMap((key) => scancodes(key, false));
            await machine.keyboard.push([...down, ...up]);
          }
        }
        await shell(machine, "until [ -s /run/typed ]; do sleep 1; done; echo typed-$?", /typed-0/);
        const bytes = Buffer.from(`${text}\n`).toString("hex");
        await shell(machine, "od -An -v -t x1 /run/typed | tr -d ' \\n'; rm /run/typed", new RegExp(bytes));
      };
      for (const [name, text] of [
        ["de", "zyZ- {@ äß é"],
        ["fr", "azm, ç ê #2"],
        ["us", "zyZ- {@"],
      ] as const) {
        const layout = new KeyboardLayout(name);
        const before = serial().length;
        machine.serialSend(layoutCommand(layout, "console"));
        const marker = new RegExp(`^GUEST keyboard-${name}`, "m");
        await eventually(
          () => marker.test(serial().slice(before)),
          withSerial(`layout ${name}`, serial),
          GUEST_DEADLINE_MS,
        );
        await typed(layout, text);
      }
    },
    BOOT_DEADLINE_MS,
  );

  test("the QXL driver shows its own primary, and the guest takes monitors from it", async () => {
    expect(machine.qxl.mode).toBe("native");
    expect(machine.screenSize).toEqual({ width: 1024, height: 768 });
    expect(machine.scanoutMode).toBeUndefined();
    expect(machine.qxl.stats.lost).toBe(0);
    expect(machine.qxl.stats.guestBug).toBe(false);
  });

  test("the guest's driver turns the absolute pointer on", () => {
    expect(machine.pointer.absolute).toBe(true);
  });

  test(
    "a guest whose driver speaks plain PS/2 gets the motion, axis by axis, and the button",
    async () => {
      const psmouse = "$(grep /psmouse.ko /usr/lib/modules/boot.list)";
      await shell(machine, `rmmod psmouse && insmod ${psmouse} proto=imps; echo mouse-$?`, /mouse-0/);
      expect(machine.pointer.absolute).toBe(false);
      const device = "$(sed -n '/VMMouse/,/^$/s/.*\\(event[0-9]*\\).*/\\1/p' /proc/bus/input/devices)";
      const record = `dd if=/dev/input/${device} of=/run/mouse bs=16 2>/dev/null & sleep 1; echo reading-$?`;
      await shell(machine, record, /reading-0/);
      machine.pointer.motion(5, -3, 0, 0);
      machine.pointer.motion(0, 0, 0, 1);
      machine.pointer.motion(0, 0, 0, 0);
      // struct input_event, behind its time: EV_REL X 5, EV_REL Y -3, BTN_LEFT down and up.
      for (const event of [
        "0002 0000 0005 0000",
        "0002 0001 fffd ffff",
        "0001 0110 0001",
        "0001 0110 0000",
      ]) {
        const seen = `od -An -v -w16 -t x2 /run/mouse | grep -q '${event}'`;
        await shell(machine, `until ${seen}; do sleep 1; done; echo saw-$?`, /saw-0/);
      }
      // The driver as it was, for the tests behind this one.
      await shell(machine, `kill %1; rmmod psmouse && insmod ${psmouse}; echo back-$?`, /back-0/);
      await eventually(
        () => machine.pointer.absolute,
        withSerial("the absolute pointer again", serial),
        GUEST_DEADLINE_MS,
      );
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "a guest that is left asleep over several of its ticks keeps time",
    async () => {
      const clock = async (): Promise<{ host: number; uptime: number; jiffies: number }> => {
        const command =
          "echo now $(cut -d' ' -f1 /proc/uptime) $(sed -n 's/^jiffies: //p' /proc/timer_list | head -n 1) end";
        const before = serial().length;
        await shell(machine, command, /now [0-9.]+ [0-9]+ end/);
        const [, uptime, jiffies] = /now ([0-9.]+) ([0-9]+) end/.exec(serial().slice(before)) ?? [];
        return { host: performance.now() / 1000, uptime: Number(uptime), jiffies: Number(jiffies) };
      };
      const start = await clock();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const end = await clock();
      const passed = end.uptime - start.uptime;
      const HZ = 250;
      expect((end.jiffies - start.jiffies) / HZ / passed).toBeCloseTo(1, 1);
      expect(passed / (end.host - start.host)).toBeCloseTo(1, 0);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "a restored machine goes on where it was saved",
    async () => {
      await shell(machine, "secret=kept-in-memory; echo set-$?", /set-0/);
      const saved = collect(machine);
      await using second = await Machine.create({ ...options(), kernelNow: false });
      await second.restoreState(restorable(saved));
      second.run();
      await shell(second, "echo $secret", /kept-in-memory/);
      expect(second.pointer.absolute).toBe(true);
      await second.pause();
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "the guest reboots: the kernel is loaded again",
    async () => {
      machine.serialSend("reboot -f\n");
      await eventually(() => readyCount >= 2 && prompt(), withSerial("second GUEST ready", serial), 500_000);
      await shell(machine, "echo shell-$((1+1))", /shell-2/);
    },
    BOOT_DEADLINE_MS,
  );
});
