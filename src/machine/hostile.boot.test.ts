import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QXLCommand, QXLRam, QXL_COMMAND_RING_SIZE, QxlIo, SpiceRing } from "../protocol/index.ts";
import { RAM_HEADER_BYTES } from "../qxl/index.ts";
import { GUEST_DEADLINE_MS, readBuiltGuest, shell, whyNoGuest, withSerial } from "./built-guest.testing.ts";
import { Machine } from "./machine.ts";
import { RecordingRed, silentEvents } from "./machine.testing.ts";
import { eventually } from "../waiting.testing.ts";

const reason = whyNoGuest("console");
if (reason) console.log(`skipped: ${reason}`);

const BOOT_DEADLINE_MS = 600_000;

/** A real guest whose root writes to the device's memory and ports, while Debian's driver draws the console. */
describe.skipIf(reason)("nonsense that a Debian guest writes into its rings", () => {
  let machine: Machine;
  const red = new RecordingRed();
  const serial = (): string => machine.serial.tail;
  const lost = (): number => machine.qxl.stats.lost;

  const header = (): number => machine.layout.ram.base + machine.layout.ram.size - RAM_HEADER_BYTES;
  const notify = `printf '\\0' | dd of=/dev/port bs=1 seek=$((port + ${QxlIo.NotifyCmd})) 2>/dev/null`;

  /** The driver goes on drawing: what is written to the console reaches the red worker. */
  const expectConsoleDraws = async (): Promise<void> => {
    const before = red.commands.length;
    await shell(machine, "echo alive > /dev/tty1; echo drawn-$?", /drawn-0/);
    const draws = () => red.commands.slice(before).filter(({ type }) => type === "draw").length;
    await eventually(() => draws() > 0, withSerial("a drawing of the console", serial), GUEST_DEADLINE_MS);
    expect(machine.qxl.stats.guestBug).toBe(false);
  };

  beforeAll(async () => {
    let ready = false;
    const events = silentEvents({ bootMarker: ({ name }) => void (ready ||= name === "ready") });
    machine = await Machine.create({ ...readBuiltGuest("console").options, sink: red.sink, events });
    machine.run();
    await eventually(() => ready && serial().slice(-20).includes("# "), withSerial("shell", serial), 500_000);
    const ring = header() + QXLRam.offset.cmdRing;
    // A blinking cursor would push commands of its own between two of ours.
    await shell(machine, "echo 0 > /sys/class/graphics/fbcon/cursor_blink; echo still-$?", /still-0/);
    await shell(
      machine,
      `prod=$((${ring + SpiceRing.offset.prod})); items=$((${ring + SpiceRing.size})); ` +
        // The firmware has moved BAR3: the fourth line says where to.
        "port=$(($(sed -n '4s/ .*//p' /sys/bus/pci/devices/0000:00:02.0/resource))); echo set-$?",
      /set-0/,
    );
    const item = `$((items + p % ${QXL_COMMAND_RING_SIZE} * ${QXLCommand.size}))`;
    await shell(
      machine,
      `push() { p=$(devmem $prod 32); i=${item}; devmem $i 64 $1; devmem $((i + ${QXLCommand.offset.type})) 32 $2; ` +
        `devmem $prod 32 $((p + 1)); ${notify}; }; echo defined-$?`,
      /defined-0/,
    );
    await expectConsoleDraws();
  }, BOOT_DEADLINE_MS);

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  test.each([
    ["an address in no slot", "0xdeadbeefdeadbeef", 1],
    ["address 0", "0", 1],
    ["a type that does not exist", "0x0100000000000000", 77],
    ["a surface command where there is none", "0xffffffffffffffff", 5],
  ])(
    "%s: that command is lost",
    async (_name, address, type) => {
      const before = lost();
      await shell(machine, `push ${address} ${type}; echo pushed-$?`, /pushed-0/);
      // The device takes its commands in turns with the CPU: it may come to this one after the shell has gone on.
      await eventually(() => lost() > before, "lost command", GUEST_DEADLINE_MS);
      expect(lost()).toBe(before + 1);
      await expectConsoleDraws();
    },
    BOOT_DEADLINE_MS,
  );

  test.each([
    ["prod", SpiceRing.offset.prod, "0x81234567"],
    ["cons", SpiceRing.offset.cons, "0x12345678"],
  ])(
    "an impossible %s index: what was in the ring is lost",
    async (_name, offset, value) => {
      const before = lost();
      const at = header() + QXLRam.offset.cmdRing + offset;
      await shell(machine, `devmem ${at} 32 ${value}; ${notify}; echo broken-$?`, /broken-0/);
      // The device takes its commands in turns with the CPU: it may come to this one after the shell has gone on.
      await eventually(() => lost() > before, "lost command", GUEST_DEADLINE_MS);
      expect(lost()).toBe(before + 1);
      await expectConsoleDraws();
    },
    BOOT_DEADLINE_MS,
  );

  test(
    "random words over both command rings, again and again",
    async () => {
      const at = header() + QXLRam.offset.cmdRing;
      const end = at + 2 * (SpiceRing.size + QXL_COMMAND_RING_SIZE * QXLCommand.size);
      const before = lost();
      await shell(
        machine,
        `for n in 1 2; do a=${at}; while [ $a -lt ${end} ]; do devmem $a 32 $((RANDOM << 17 ^ RANDOM)); ` +
          `a=$((a + 4)); done; ${notify}; done; echo scribbled-$n-$?`,
        /scribbled-2-0/,
      );
      expect(lost()).toBeGreaterThan(before);
      await expectConsoleDraws();
    },
    BOOT_DEADLINE_MS,
  );
});
