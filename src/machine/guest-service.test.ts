import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { Dispatcher } from "../dispatch/index.ts";
import type { GuestEvents, GuestMessages } from "../dispatch/index.ts";
import type { RedCommandBatch } from "../protocol/red-command.ts";
import type { LogEntry } from "../log/index.ts";
import type { GuestControlEvents, GuestControlMessages } from "./control.ts";
import { StateBusyError } from "../state/errors.ts";
import type { GuestManifest } from "./guest-files.ts";
import { GuestService } from "./guest-service.ts";
import { STATE_PROOF_RUN_MS } from "../state/limits.ts";
import { loadWasm, tinyKernel } from "./machine.testing.ts";
import { MemoryStateFolder } from "../state/memory-state-folder.ts";
import type { KeptState } from "../state/state-store.ts";
import { StateStore } from "../state/state-store.ts";
import { RedLink } from "./red-link.ts";
import { biosOf, bootSectorBios } from "./tiny-bios.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

const contents: Record<string, Uint8Array> = {
  "kernel.bin": new Uint8Array(tinyKernel()),
  "initrd.cpio": Uint8Array.of(1, 2, 3),
  // Firmware of zeros: the CPU runs through it for ever.
  "bios.bin": new Uint8Array(0x10000),
  "vgabios.bin": new Uint8Array(0x8000),
};

const file = (name: string, bytes = contents[name]) => ({
  file: name,
  size: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

const manifestOf = (buildId: string): GuestManifest => ({
  format: 1,
  level: "console",
  buildId,
  memoryMiB: 128,
  cmdline: "",
  kernel: file("kernel.bin"),
  initrd: file("initrd.cpio"),
  bios: file("bios.bin", biosBytes(buildId)),
  vgaBios: file("vgabios.bin"),
});

/** Waits for a byte on the serial port, and then stands still for ever: in the BIOS, which is what APM's power-off does, or in a boot sector. */
const BYTE_THEN_HALT = [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xfa, 0xf4];
const FIRMWARE: Record<string, ArrayBuffer> = {
  "powers-off": biosOf(BYTE_THEN_HALT),
  halts: bootSectorBios(BYTE_THEN_HALT),
};

const biosBytes = (buildId: string) =>
  buildId in FIRMWARE ? new Uint8Array(FIRMWARE[buildId]) : contents["bios.bin"];

/** `/guest/<buildId>/…` */
const fetchFile = async (url: string): Promise<ReadableStream<Uint8Array>> => {
  const [, , buildId, name] = url.split("/");
  if (name === "bios.bin") return new Blob([biosBytes(buildId).slice()]).stream();
  const bytes =
    name === "manifest.json" ? new TextEncoder().encode(JSON.stringify(manifestOf(buildId))) : contents[name];
  if (!bytes) throw new Error("the server answers 404");
  return new Blob([bytes.slice()]).stream();
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

const memoryStore = () => new StateStore(new MemoryStateFolder());

/** A service with page, core and red worker played by the test. */
const serve = (store = memoryStore(), load = loadWasm, now?: () => number) => {
  const [core, red, control] = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  const start = {
    type: "start",
    id: "test",
    core: core.port1,
    red: red.port1,
    control: control.port1,
  } as const;
  const service = new GuestService({
    start,
    red: new RedLink(),
    openStore: async () => store,
    loadWasm: load,
    fetchFile,
    ...(now && { now }),
  });
  const events: string[] = [];
  const batches: RedCommandBatch[] = [];
  let booted: (message: Parameters<GuestControlEvents["booted"]>[0]) => void;
  let failed: (reason: string) => void;
  const boot = new Promise<Parameters<GuestControlEvents["booted"]>[0]>((resolve, reject) => {
    booted = resolve;
    failed = (reason) => reject(new Error(reason));
  });
  boot.catch(() => {});
  red.port2.onmessage = ({ data }: MessageEvent<RedCommandBatch>) => void batches.push(data);
  const coreHeard: string[] = [];
  const logged: LogEntry[] = [];
  const page = new Dispatcher<GuestControlMessages, GuestControlEvents>(control.port2, {
    peer: "guest",
    handlers: {
      progress: ({ stage }) => void (events.at(-1) === stage || events.push(stage)),
      booted: (message) => booted(message),
      marker: ({ name }) => void events.push(`marker ${name}`),
      stateChanged: ({ state, error }) => {
        events.push(state);
        if (state === "failed") failed(`${error?.code}: ${error?.message}`);
      },
      rebooted: () => void events.push("rebooted"),
      unsaved: ({ unsaved }) => void events.push(unsaved ? "used" : "nothing to lose"),
      saving: ({ done }) => void (done === 0 && events.push("saving")),
      displayWanted: ({ display }) => void events.push(`display ${display} wanted`),
      saved: ({ store: kind }) => void events.push(`saved ${kind}`),
      log: ({ entries }) => void logged.push(...entries),
      saveFailed: ({ error }) => void events.push(`saveFailed ${error.code}: ${error.message}`),
    },
  });
  const toGuest = new Dispatcher<GuestMessages, GuestEvents>(core.port2, {
    peer: "guest",
    handlers: {
      agentState: ({ open: isOpen }) => void coreHeard.push(`agent ${isOpen}`),
      agentData: async () => {},
      tabletState: ({ enabled }) => void coreHeard.push(`tablet ${enabled}`),
      leds: ({ modifiers }) => void coreHeard.push(`leds ${modifiers}`),
      power: ({ words, stands }) => void coreHeard.push(`${stands ? "stands" : "runs"}: ${words}`),
    },
  });
  open.push({
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      for (const one of [page, toGuest]) one[Symbol.dispose]();
      red.port2.close();
    },
  });
  return { page, toGuest, events, batches, boot, coreHeard, logged };
};

test("a fresh boot tells its stages, draws, and answers for its status", async () => {
  const { page, events, batches, boot, coreHeard } = serve();
  expect((await page.call("status", {})).state).toBe("off");
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  expect(await boot).toEqual({ level: "console", buildId: "b1", restored: false });
  expect(events).toEqual(["starting", "manifest", "firmware", "machine", "kernel", "machine", "running"]);
  const status = await page.call("status", {});
  expect(status).toMatchObject({
    state: "running",
    level: "console",
    buildId: "b1",
    memoryMiB: 128,
    tablet: false,
  });
  expect(coreHeard).toEqual(["tablet false", "leds 0"]);
  await eventually(() => batches.length > 0);
  expect(batches[0].commands[0]).toEqual({ type: "reset" });
});

test("the second visit is the saved machine; a state of another build is refused and the guest boots fresh", async () => {
  const store = memoryStore();
  const first = serve(store);
  await first.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await first.boot;
  const saved = await first.page.call("save", {});
  expect(saved?.store).toBe("memory");
  expect(saved?.bytes).toBeGreaterThan(0);
  expect(await first.page.call("save", { unlessCurrent: true })).toEqual(saved);
  expect(first.events.filter((event) => event === "saved memory").length).toBe(1);

  const second = serve(store);
  await second.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  expect(await second.boot).toEqual({
    level: "console",
    buildId: "b1",
    restored: true,
    savedAt: saved?.savedAt,
    saved: { ...saved, tookMs: expect.any(Number) },
  });
  expect(second.events).not.toContain("kernel");

  const third = serve(store);
  await third.page.call("boot", { level: "console", baseUrl: "/guest/b2" });
  expect(await third.boot).toMatchObject({
    buildId: "b2",
    restored: false,
    refused: { refusal: "guest-build" },
  });

  const fourth = serve(store);
  await fourth.page.call("boot", { level: "console", baseUrl: "/guest/b1", fresh: true });
  expect(await fourth.boot).toEqual({
    level: "console",
    buildId: "b1",
    restored: false,
    saved: { ...saved, tookMs: 0 },
  });
  await fourth.page.call("forget", { level: "console" });
  expect(await store.kept("console")).toEqual([]);
}, 60_000);

test("a state belongs to the number of displays that its machine had", async () => {
  const store = memoryStore();
  const boot = { level: "console", baseUrl: "/guest/b1" };
  const first = serve(store);
  await first.page.call("boot", { ...boot, displays: 2 });
  await first.boot;
  await first.page.call("save", {});

  const same = serve(store);
  await same.page.call("boot", { ...boot, displays: 2 });
  expect(await same.boot).toMatchObject({ restored: true });
  const other = serve(store);
  await other.page.call("boot", boot);
  expect(await other.boot).toMatchObject({
    restored: false,
    refused: {
      refusal: "machine-options",
      message: expect.stringContaining("its machine has 2 displays, this one one display"),
    },
  });
}, 60_000);

test.each([
  ["somebody else has open", new StateBusyError(1)],
  ["the disk does not give", new DOMException("the disk is asleep", "NotReadableError")],
])(
  "a state that %s is not booted over: the start fails, and works later",
  async (_name, problem) => {
    const folder = new MemoryStateFolder();
    const first = serve(new StateStore(folder));
    await first.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    await first.boot;
    await first.page.call("save", {});

    class UnreachableOnce extends StateStore {
      reached = false;
      override async open(kept: KeptState) {
        if (this.reached) return super.open(kept);
        this.reached = true;
        throw problem;
      }
    }
    const second = serve(new UnreachableOnce(folder));
    await second.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    await expect(second.boot).rejects.toThrow(problem.message);
    expect(second.events).not.toContain("kernel");
    await second.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    await eventually(() => second.events.at(-1) === "running");
    expect(second.events).not.toContain("kernel");
  },
  60_000,
);

test("a machine that was stopped by a fault is not saved over the last good state", async () => {
  const store = memoryStore();
  let broken = false;
  const { page, toGuest, boot, events, coreHeard } = serve(store, async (imports) => {
    const exports = await loadWasm(imports);
    const mainLoop = exports.main_loop as () => number;
    const faulty = () => {
      if (broken) throw new WebAssembly.RuntimeError("unreachable");
      return mainLoop();
    };
    return { ...exports, main_loop: faulty };
  });
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await boot;
  await page.call("save", {});
  const kept = await store.kept("console");
  broken = true;
  await eventually(() => events.at(-1) === "failed");
  await expect(page.call("save", {})).rejects.toThrow(/stopped by a fault/);
  await expect(page.call("resume", {})).rejects.toThrow(/stopped by a fault/);
  expect(await store.kept("console")).toEqual(kept);

  // Whoever looks at it hears of that, also who comes later, and has the power button.
  const stands =
    "stands: The machine was stopped by a fault of its emulation: unreachable. Ctrl+Alt+Del starts it again.";
  await eventually(() => coreHeard.at(-1) === stands);
  broken = false;
  const starts = events.length;
  await toGuest.call("keyScancodes", { bytes: [0x1d, 0x38, 0xe0, 0x53] });
  await eventually(() => events.at(-1) === "running");
  expect(coreHeard).toContain("runs: The machine starts.");
  // From where it was saved: nobody has switched it off.
  expect(events.slice(starts)).not.toContain("kernel");
  expect(await store.kept("console")).toEqual(kept);
});

/** Boots, and tells what came of it. */
const visit = async (store: StateStore, message: { earlier?: boolean } = {}, now?: () => number) => {
  const served = serve(store, loadWasm, now);
  await served.page.call("boot", { level: "console", baseUrl: "/guest/b1", ...message });
  return { ...served, booted: await served.boot };
};

test("a damaged save is passed over for the one before it, and that is said; it is never booted over in silence", async () => {
  const folder = new MemoryStateFolder();
  const first = await visit(new StateStore(folder));
  const one = await first.page.call("save", {});
  const two = await first.page.call("save", {});
  expect(two?.earlier).toBe(one?.savedAt);

  folder.contents("console.1")![200_000] ^= 1;
  const second = await visit(new StateStore(folder));
  expect(second.booted).toMatchObject({
    restored: true,
    savedAt: one?.savedAt,
    refused: { refusal: "damaged", message: expect.stringContaining("are not what was saved") },
  });
  expect(second.booted.saved).toMatchObject({ savedAt: one?.savedAt });
  expect(second.events).not.toContain("kernel");

  folder.contents("console.0")![200_000] ^= 1;
  const third = await visit(new StateStore(folder));
  expect(third.booted).toMatchObject({ restored: false, refused: { refusal: "damaged" } });
}, 60_000);

test("the state before the newest can be asked for", async () => {
  const folder = new MemoryStateFolder();
  const first = await visit(new StateStore(folder));
  const one = await first.page.call("save", {});
  const two = await first.page.call("save", {});
  const back = await visit(new StateStore(folder), { earlier: true });
  expect(back.booted).toEqual({
    level: "console",
    buildId: "b1",
    restored: true,
    savedAt: one?.savedAt,
    saved: expect.objectContaining({ savedAt: two?.savedAt, earlier: one?.savedAt, store: two?.store }),
  });
}, 60_000);

test("a restored machine has proven its state once it has run for a while; until then the one before stays", async () => {
  for (const [ranMs, kept] of [
    [STATE_PROOF_RUN_MS - 1, ["console.0", "console.1", "console.2"]],
    [STATE_PROOF_RUN_MS, ["console.0", "console.1"]],
  ] as const) {
    let names: readonly string[] = [];
    class Watched extends MemoryStateFolder {
      override async remove(name: string) {
        names = await this.names();
        await super.remove(name);
      }
    }
    const folder = new Watched();
    const first = await visit(new StateStore(folder));
    await first.page.call("save", {});
    await first.page.call("save", {});
    let now = 0;
    const second = await visit(new StateStore(folder), {}, () => now);
    now = ranMs;
    await second.page.call("save", {});
    expect(names.length === 0 ? await folder.names() : names).toEqual(kept);
    expect(await folder.names()).toHaveLength(2);
  }
}, 60_000);

test("every failed save is told, also the same one again, and how far a save is", async () => {
  const store = new (class extends StateStore {
    full = true;
    override async save(...args: Parameters<StateStore["save"]>) {
      if (this.full) throw new DOMException("no room left", "QuotaExceededError");
      return super.save(...args);
    }
  })(new MemoryStateFolder());
  const { page, events } = await visit(store);
  for (let tries = 0; tries < 2; tries++) await expect(page.call("save", {})).rejects.toThrow("no room left");
  expect(events.filter((event) => event === "saving").length).toBe(2);
  store.full = false;
  await page.call("save", {});
  expect(events.at(-1)).toBe("saved memory");
});

test.each([
  ["powers-off", "poweredOff", "The machine is switched off."],
  ["halts", "halted", "The machine has halted: its processor stands still for good."],
])(
  "a machine whose guest %s is told to page and clients, and never kept",
  async (buildId, end, words) => {
    const store = memoryStore();
    const { page, boot, events, coreHeard } = serve(store);
    const baseUrl = `/guest/${buildId}`;
    await page.call("boot", { level: "console", baseUrl });
    await boot;
    await page.call("save", {});
    const kept = await store.kept("console");
    const savedAt = (await page.call("status", {})).saved?.savedAt;

    await page.call("serialSend", { text: "x" });
    await eventually(() => events.at(-1) === "ended");
    await eventually(() => coreHeard.includes(`stands: ${words} Ctrl+Alt+Del starts it again.`));
    expect((await page.call("status", {})).ended).toEqual({ end });
    await expect(page.call("save", {})).rejects.toThrow(words);
    await page.call("save", { unlessCurrent: true }).catch(() => {});
    await expect(page.call("pause", {})).rejects.toThrow(words);
    await expect(page.call("resume", {})).rejects.toThrow(words);
    expect(await store.kept("console")).toEqual(kept);
    expect(events.filter((event) => event.startsWith("saveFailed"))).toEqual([]);

    // A core that is new learns it as well.
    const core = new MessageChannel();
    const heard: string[] = [];
    const power = ({ words: said }: { words: string }) => void heard.push(said);
    const ignored = () => {};
    using hand = new Dispatcher<GuestMessages, GuestEvents>(core.port2, {
      peer: "guest",
      handlers: {
        agentState: ignored,
        agentData: async () => {},
        tabletState: ignored,
        leds: ignored,
        power,
      },
    });
    await page.call("attachCore", { port: core.port1 }, [core.port1]);
    await eventually(() => heard.length > 0);
    // Other keys do nothing; Ctrl+Alt+Del is the power button.
    await hand.call("keyScancodes", { bytes: [0x1d, 0x9d, 0x38, 0x53, 0xd3, 0xb8] });
    expect((await page.call("status", {})).state).toBe("ended");
    await hand.call("keyScancodes", { bytes: [0x1d, 0x38, 0xe0, 0x53] });
    await eventually(() => events.at(-1) === "running");
    expect(heard.at(-1)).toBe("The machine starts.");
    expect((await page.call("status", {})).saved?.savedAt).toBe(savedAt);
    expect(await page.call("save", {})).toBeDefined();
  },
  60_000,
);

test("what was dropped stays dropped, also when the tab is hidden", async () => {
  const store = memoryStore();
  const { page, toGuest, boot } = serve(store);
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await boot;
  await page.call("save", {});
  await page.call("forget", { level: "console" });
  expect(await page.call("save", { unlessCurrent: true })).toBeUndefined();
  expect(await store.kept("console")).toEqual([]);
  await toGuest.call("keyScancodes", { bytes: [0x1e] });
  expect(await page.call("save", {})).toBeDefined();
});

test("a machine that cannot be made fails with the reason, and can be made later", async () => {
  let tries = 0;
  const { page, boot, events } = serve(memoryStore(), async (imports) => {
    if (tries++ === 0) throw new Error("v86.wasm: the server answers 503");
    return loadWasm(imports);
  });
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await expect(boot).rejects.toThrow("503");
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await eventually(() => events.at(-1) === "running");
});

test("a pause stands still, a resume goes on, and the people at the clients are told", async () => {
  const { page, boot, events, coreHeard } = serve();
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await boot;
  await page.call("pause", {});
  const { instructions } = await page.call("status", {});
  await turns();
  expect((await page.call("status", {})).instructions).toBe(instructions);
  await page.call("resume", {});
  await eventually(async () => (await page.call("status", {})).instructions !== instructions);
  expect(events.slice(-2)).toEqual(["paused", "running"]);
  expect(coreHeard.slice(-2)).toEqual(["stands: The machine is paused.", "runs: The machine goes on."]);
});

test("a guest that is not there fails with a reason, and can be booted afterwards", async () => {
  const { page, boot, events } = serve();
  await page.call("boot", { level: "desktop", baseUrl: "/guest/b1" });
  await expect(boot).rejects.toThrow(/level console, not desktop/);
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await eventually(() => events.at(-1) === "running");
});

test("without a guest, input is ignored and the agent is told so", async () => {
  const { toGuest, page, logged } = serve();
  await toGuest.call("keyScancodes", { bytes: [0x1e] });
  expect(await toGuest.call("clientMonitorsConfig", { heads: [] })).toBe(false);
  await expect(toGuest.call("agentWrite", { bytes: Uint8Array.of(1) })).rejects.toThrow(/there is no guest/);
  await expect(page.call("save", {})).rejects.toThrow(/there is no guest/);
  // Whoever asked has heard it; the page's log says it as well.
  while (logged.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(logged.map(({ domain, message }) => `${domain}: ${message}`)).toEqual([
    expect.stringMatching(/^dispatcher: "agentWrite" failed: there is no guest/),
    expect.stringMatching(/^dispatcher: "save" failed: there is no guest/),
  ]);
});
