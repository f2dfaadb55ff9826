import { afterEach, expect, test } from "vitest";
import { Dispatcher, serveDispatcher } from "../dispatch/index.ts";
import type { GuestEvents, GuestMessages } from "../dispatch/index.ts";
import type { RedCommandBatch } from "../protocol/red-command.ts";
import type { GuestControlEvents, GuestControlMessages } from "./control.ts";
import { StateBusyError } from "./errors.ts";
import type { GuestManifest } from "./guest-files.ts";
import { GuestService } from "./guest-service.ts";
import { loadWasm, tinyKernel } from "./machine.testing.ts";
import { MemoryStateStore } from "./memory-state-store.ts";
import { RedLink } from "./red-link.ts";

const contents: Record<string, Uint8Array> = {
  "kernel.bin": new Uint8Array(tinyKernel()),
  "initrd.cpio": Uint8Array.of(1, 2, 3),
  // Firmware of zeros: the CPU runs through it for ever.
  "bios.bin": new Uint8Array(0x10000),
  "vgabios.bin": new Uint8Array(0x8000),
};

const file = (name: string) => ({ file: name, size: contents[name].length, sha256: "" });

const manifestOf = (buildId: string): GuestManifest => ({
  format: 1,
  level: "console",
  buildId,
  memoryMiB: 128,
  cmdline: "",
  kernel: file("kernel.bin"),
  initrd: file("initrd.cpio"),
  bios: file("bios.bin"),
  vgaBios: file("vgabios.bin"),
});

/** `/guest/<buildId>/…` */
const fetchFile = async (url: string): Promise<ReadableStream<Uint8Array>> => {
  const [, , buildId, name] = url.split("/");
  const bytes =
    name === "manifest.json" ? new TextEncoder().encode(JSON.stringify(manifestOf(buildId))) : contents[name];
  if (!bytes) throw new Error("the server answers 404");
  return new Blob([bytes.slice()]).stream();
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

/** A service with page, core and red worker played by the test. */
const serve = (store = new MemoryStateStore(), load = loadWasm) => {
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
  const served = [
    serveDispatcher<GuestControlEvents>(control.port2, {
      progress: ({ stage }) => void (events.at(-1) === stage || events.push(stage)),
      booted: (message) => booted(message),
      marker: ({ name }) => void events.push(`marker ${name}`),
      stateChanged: ({ state, reason }) => {
        events.push(state);
        if (state === "failed") failed(reason ?? "");
      },
      unsaved: ({ unsaved }) => void events.push(unsaved ? "used" : "nothing to lose"),
      saved: ({ store: kind }) => void events.push(`saved ${kind}`),
      saveFailed: ({ reason }) => void events.push(`saveFailed ${reason}`),
    }),
    serveDispatcher<GuestEvents>(core.port2, {
      agentState: ({ open: isOpen }) => void coreHeard.push(`agent ${isOpen}`),
      agentData: async () => {},
      tabletState: ({ enabled }) => void coreHeard.push(`tablet ${enabled}`),
      leds: ({ modifiers }) => void coreHeard.push(`leds ${modifiers}`),
    }),
  ];
  const page = new Dispatcher<GuestControlMessages>(control.port2, { peer: "guest" });
  const toGuest = new Dispatcher<GuestMessages>(core.port2, { peer: "guest" });
  open.push({
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      for (const one of [...served, page, toGuest]) one[Symbol.dispose]();
      red.port2.close();
    },
  });
  return { page, toGuest, events, batches, boot, coreHeard };
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
  while (batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(batches[0].commands[0]).toEqual({ type: "reset" });
});

test("the second visit is the saved machine; a state of another build is refused and the guest boots fresh", async () => {
  const store = new MemoryStateStore();
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
  expect(await second.boot).toEqual({ level: "console", buildId: "b1", restored: true });
  expect(second.events).not.toContain("kernel");
  expect((await second.page.call("status", {})).saved).toEqual({ ...saved, took: expect.any(Number) });

  const third = serve(store);
  await third.page.call("boot", { level: "console", baseUrl: "/guest/b2" });
  expect(await third.boot).toMatchObject({
    buildId: "b2",
    restored: false,
    refused: { refusal: "guest-build" },
  });

  const fourth = serve(store);
  await fourth.page.call("boot", { level: "console", baseUrl: "/guest/b1", fresh: true });
  expect(await fourth.boot).toEqual({ level: "console", buildId: "b1", restored: false });
  await fourth.page.call("forget", { level: "console" });
  expect(await store.open("console")).toBeUndefined();
}, 60_000);

test.each([
  ["somebody else has open", new StateBusyError(1)],
  ["the disk does not give", new DOMException("the disk is asleep", "NotReadableError")],
])(
  "a state that %s is not booted over: the start fails, and works later",
  async (_name, problem) => {
    const store = new MemoryStateStore();
    const first = serve(store);
    await first.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    await first.boot;
    await first.page.call("save", {});

    class UnreachableOnce extends MemoryStateStore {
      reached = false;
      override async open(key: string) {
        if (this.reached) return store.open(key);
        this.reached = true;
        throw problem;
      }
    }
    const second = serve(new UnreachableOnce());
    await second.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    await expect(second.boot).rejects.toThrow(problem.message);
    expect(second.events).not.toContain("kernel");
    await second.page.call("boot", { level: "console", baseUrl: "/guest/b1" });
    while (second.events.at(-1) !== "running") await new Promise((resolve) => setTimeout(resolve, 5));
    expect(second.events).not.toContain("kernel");
  },
  60_000,
);

test("a machine that was stopped by a fault is not saved over the last good state", async () => {
  const store = new MemoryStateStore();
  let broken = false;
  const { page, boot, events } = serve(store, async (imports) => {
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
  const kept = (await store.open("console"))!.header;
  broken = true;
  while (events.at(-1) !== "failed") await new Promise((resolve) => setTimeout(resolve, 5));
  await expect(page.call("save", {})).rejects.toThrow(/stopped by a fault/);
  expect((await store.open("console"))!.header).toEqual(kept);
});

test("what was dropped stays dropped, also when the tab is hidden", async () => {
  const store = new MemoryStateStore();
  const { page, toGuest, boot } = serve(store);
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await boot;
  await page.call("save", {});
  await page.call("forget", { level: "console" });
  expect(await page.call("save", { unlessCurrent: true })).toBeUndefined();
  expect(await store.open("console")).toBeUndefined();
  await toGuest.call("keyScancodes", { bytes: [0x1e] });
  expect(await page.call("save", {})).toBeDefined();
});

test("a machine that cannot be made fails with the reason, and can be made later", async () => {
  let tries = 0;
  const { page, boot, events } = serve(new MemoryStateStore(), async (imports) => {
    if (tries++ === 0) throw new Error("v86.wasm: the server answers 503");
    return loadWasm(imports);
  });
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await expect(boot).rejects.toThrow("503");
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  while (events.at(-1) !== "running") await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a pause stands still, a resume goes on", async () => {
  const { page, boot, events } = serve();
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  await boot;
  await page.call("pause", {});
  const { instructions } = await page.call("status", {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await page.call("status", {})).instructions).toBe(instructions);
  await page.call("resume", {});
  while ((await page.call("status", {})).instructions === instructions) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(events.slice(-2)).toEqual(["paused", "running"]);
});

test("a guest that is not there fails with a reason, and can be booted afterwards", async () => {
  const { page, boot, events } = serve();
  await page.call("boot", { level: "desktop", baseUrl: "/guest/b1" });
  await expect(boot).rejects.toThrow(/level console, not desktop/);
  await page.call("boot", { level: "console", baseUrl: "/guest/b1" });
  while (events.at(-1) !== "running") await new Promise((resolve) => setTimeout(resolve, 5));
});

test("without a guest, input is ignored and the agent is told so", async () => {
  const { toGuest, page } = serve();
  await toGuest.call("keyScancodes", { bytes: [0x1e] });
  expect(await toGuest.call("clientMonitorsConfig", { heads: [] })).toBe(false);
  await expect(toGuest.call("agentWrite", { bytes: Uint8Array.of(1) })).rejects.toThrow(/there is no guest/);
  await expect(page.call("save", {})).rejects.toThrow(/there is no guest/);
});
