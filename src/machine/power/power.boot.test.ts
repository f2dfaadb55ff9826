import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GUEST_DEADLINE_MS, readBuiltGuest, shell, whyNoGuest, withSerial } from "../built-guest.testing.ts";
import { MachineEndedError } from "../errors.ts";
import { Machine } from "../machine.ts";
import { RecordingRed, silentEvents } from "../machine.testing.ts";
import type { EndedMachine } from "./power.ts";
import { collect, restorable } from "../../state/state-transfer.ts";
import { eventually } from "../../waiting.testing.ts";

const reason = whyNoGuest("console");
if (reason) console.log(`skipped: ${reason}`);

const BOOT_DEADLINE_MS = 600_000;
const HOUR_MS = 3_600_000;

describe.skipIf(reason)("the console guest's power and time", () => {
  let saved: ReturnType<typeof collect>;
  let machine: Machine | undefined;
  const ends: EndedMachine[] = [];
  const markers: string[] = [];
  let reboots = 0;
  /** Milliseconds by which the host's clock is set wrong. */
  let clockOffset = 0;
  const realNow = Date.now.bind(Date);

  const make = (kernelNow: boolean): Promise<Machine> =>
    Machine.create({
      ...readBuiltGuest("console").options,
      kernelNow,
      sink: new RecordingRed().sink,
      events: silentEvents({
        bootMarker: ({ name }) => void markers.push(name),
        ended: (ended) => void ends.push(ended),
        rebooted: () => void reboots++,
      }),
    });

  const serial = (): string => machine?.serial.tail ?? "";
  const prompt = (): boolean => serial().slice(-20).includes("# ");

  /** The machine as it was when it had booted. */
  const restore = async (): Promise<Machine> => {
    ends.length = markers.length = reboots = 0;
    machine = await make(false);
    await machine.restoreState(restorable(saved));
    machine.run();
    return machine;
  };

  beforeAll(async () => {
    // No spy: it would remember each of the millions of times that v86 looks at the clock.
    Date.now = () => realNow() + clockOffset;
    machine = await make(true);
    machine.run();
    await eventually(() => markers.includes("ready"), withSerial("GUEST ready", serial), 500_000);
    await eventually(prompt, withSerial("shell prompt", serial), GUEST_DEADLINE_MS);
    // What the kernel said while it booted is not what these tests are about.
    await shell(machine, "dmesg -c >/dev/null; echo shell-$((40+2))", /shell-42/);
    saved = collect(machine);
    await machine[Symbol.asyncDispose]();
  }, BOOT_DEADLINE_MS);

  afterEach(async () => {
    clockOffset = 0;
    await machine?.[Symbol.asyncDispose]();
    machine = undefined;
  });

  afterAll(() => void (Date.now = realNow));

  test.each([
    ["poweroff", "poweredOff"],
    ["poweroff -f", "poweredOff"],
    ["shutdown -h now", "poweredOff"],
    ["init 0", "poweredOff"],
    ["halt", "halted"],
    ["halt -f", "halted"],
    ["shutdown -H now", "halted"],
  ])(
    "%s ends the machine",
    async (command, end) => {
      const running = await restore();
      running.serialSend(`${command}\n`);
      await eventually(
        () => ends.length > 0 && !running.running,
        withSerial(command, serial),
        GUEST_DEADLINE_MS,
      );
      expect(ends).toEqual([{ end }]);
      expect(reboots).toBe(0);
      expect(markers).toEqual(command.includes("-f") ? [] : ["down"]);
      expect(() => collect(running)).toThrow(MachineEndedError);
    },
    BOOT_DEADLINE_MS,
  );

  test.each(["reboot", "reboot -f", "shutdown -r now", "init 6", "echo b >/proc/sysrq-trigger"])(
    "%s resets the machine",
    async (command) => {
      const running = await restore();
      running.serialSend(`${command}\n`);
      await eventually(() => reboots > 0, withSerial(command, serial), GUEST_DEADLINE_MS);
      expect(ends).toEqual([]);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "Ctrl+Alt+Del goes through init, and the machine comes up again by itself",
    async () => {
      const running = await restore();
      running.keyboard.push([0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d]);
      await eventually(() => reboots > 0, withSerial("reboot", serial), GUEST_DEADLINE_MS);
      expect(markers).toEqual(["down"]);
      await eventually(() => markers.includes("ready"), withSerial("GUEST ready", serial), 500_000);
      expect(reboots).toBe(1);
      await eventually(prompt, withSerial("shell prompt", serial), GUEST_DEADLINE_MS);
      await shell(running, "echo shell-$((1+1))", /shell-2/);
      expect(running.qxl.mode).toBe("native");
      expect(collect(running).header.stateBytes).toBeGreaterThan(0);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "a panic is told with the kernel's reason",
    async () => {
      const running = await restore();
      running.serialSend("echo c >/proc/sysrq-trigger\n");
      await eventually(() => ends.length > 0, withSerial("panic", serial), GUEST_DEADLINE_MS);
      expect(ends).toEqual([{ end: "panicked", detail: "sysrq triggered crash" }]);
      await eventually(
        () => !running.running,
        withSerial("a CPU that stands still", serial),
        GUEST_DEADLINE_MS,
      );
      expect(serial()).toContain("---[ end Kernel panic");
      expect(reboots).toBe(0);
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "a panic that is to reboot does",
    async () => {
      const running = await restore();
      running.serialSend("echo 1 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger\n");
      await eventually(() => reboots > 0, withSerial("reboot after the panic", serial), GUEST_DEADLINE_MS);
      expect(ends.map(({ end }) => end)).toEqual(["panicked"]);
      expect(running.ended).toBeUndefined();
      expect(running.running).toBe(true);
    },
    BOOT_DEADLINE_MS,
  );

  let looks = 0;

  /** Milliseconds that the guest's `date` is ahead of the host. */
  const guestClockError = async (running: Machine): Promise<number> => {
    let error = Number.NaN;
    // Each look has a name of its own: the answers of earlier ones are still in the log.
    const name = `look${++looks}`;
    // The moment at which a second begins in the guest is when `date` changes.
    running.serialSend(
      "t=$(date +%s); while [ $(date +%s) = $t ]; do :; done; echo NAME=$(date +%s)\n".replace("NAME", name),
    );
    await eventually(
      () => {
        const found = new RegExp(`${name}=(\\d{10})`).exec(serial());
        if (found) error = Number(found[1]) * 1000 - Date.now();
        return found !== null;
      },
      withSerial("the next second", serial),
      GUEST_DEADLINE_MS,
    );
    return error;
  };

  test.each([
    ["after a restore, two hours later", 2 * HOUR_MS, false],
    ["after a restore on a host whose clock was set back", -HOUR_MS, false],
    ["when the host has slept", 8 * HOUR_MS, true],
    ["when the host's clock is set back", -3 * HOUR_MS, true],
  ])(
    "the guest's clock is right %s",
    async (name, offset, isRunning) => {
      if (!isRunning) clockOffset = offset;
      const running = await restore();
      if (isRunning) {
        await shell(running, "echo shell-$((2+2))", /shell-4/);
        clockOffset = offset;
      }
      const isRight = async (): Promise<boolean> => Math.abs(await guestClockError(running)) < HOUR_MS / 2;
      const deadline = performance.now() + 30_000;
      while (!(await isRight())) if (performance.now() > deadline) throw new Error("the clock stayed wrong");
      console.log(`guest clock ${name}: ${Math.round(await guestClockError(running))} ms`);
      await shell(running, "dmesg | grep -ciE 'stall|lockup|unstable' | sed 's/^/warnings=/'", /warnings=0/);
      // The RTC is right for guests that ask it.
      await shell(
        running,
        "echo rtc=$(($(date +%s) - $(cat /sys/class/rtc/rtc0/since_epoch)))",
        /rtc=-?[0-2]\D/,
      );
    },
    BOOT_DEADLINE_MS,
  );
});
