/**
 * Everything of v86 that is not its public API and that we use: typed here, listed once in {@link PRIVATE_MEMBERS} with
 * the reason, and asserted before the machine starts. v86 is pinned to one exact version; its release build keeps
 * property names.
 */
import { V86SurfaceError } from "../errors.ts";

/** The only v86 version this surface was checked against. */
export const V86_VERSION = "0.5.462";

/** One entry of v86's port table; the functions are called with `this` = `device`. */
export interface V86PortEntry {
  read8: (port: number) => number;
  read16: (port: number) => number;
  read32: (port: number) => number;
  write8: (value: number) => void;
  write16: (value: number) => void;
  write32: (value: number) => void;
  device: object | undefined;
}

export interface V86Io {
  ports: V86PortEntry[];
  register_read(
    port: number,
    device: object,
    read8?: () => number,
    read16?: () => number,
    read32?: () => number,
  ): void;
  register_write(
    port: number,
    device: object,
    write8?: (value: number) => void,
    write16?: (value: number) => void,
    write32?: (value: number) => void,
  ): void;
  /** In units of 128 KiB; the functions get physical addresses. */
  mmap_register(
    address: number,
    size: number,
    read8: (address: number) => number,
    write8: (address: number, value: number) => void,
    read32: (address: number) => number,
    write32: (address: number, value: number) => void,
  ): void;
}

/** A PCI function as v86 wants it. `pci_space` is the 256 byte configuration space. */
export interface V86PciDevice {
  name: string;
  pci_id: number;
  pci_space: readonly number[];
  pci_bars: readonly { size: number }[];
  pci_rom_size?: number;
  pci_rom_address?: number;
}

export interface V86Pci {
  devices: (object | undefined)[];
  device_spaces: (Int32Array | undefined)[];
  register_device(device: V86PciDevice): Int32Array;
  raise_irq(pciId: number): void;
  lower_irq(pciId: number): void;
}

/** A layer of a planar VGA picture: a part of `image_data` and where it goes on the screen. */
export interface V86VgaLayer {
  image_data: { data: Uint8ClampedArray; width: number; height: number };
  screen_x: number;
  screen_y: number;
  buffer_x: number;
  buffer_y: number;
  buffer_width: number;
  buffer_height: number;
}

export interface V86Vga {
  pci_id: number;
  graphical_mode: boolean;
  svga_enabled: boolean;
  svga_width: number;
  svga_height: number;
  svga_bpp: number;
  /** Pixels from the start of the frame buffer to the first shown one. */
  svga_offset: number;
  /** Bytes: start of the 64 KiB window at 0xA0000 inside the frame buffer. */
  svga_bank_offset: number;
  dispi_index: number;
  dispi_enable_value: number;
  /** 256 entries 0x00RRGGBB. */
  vga256_palette: Int32Array;
  screen_width: number;
  screen_height: number;
  max_cols: number;
  max_rows: number;
  vga_memory_read(address: number): number;
  vga_memory_write(address: number, value: number): void;
  screen_fill_buffer(): void;
  update_vertical_retrace(): void;
  text_mode_redraw(): void;
  complete_redraw(): void;
}

/** What v86's VGA calls: we put our own functions into v86's dummy adapter. */
export interface V86Screen {
  FLAG_BLINKING?: number;
  FLAG_FONT_PAGE_B?: number;
  put_char(
    row: number,
    column: number,
    character: number,
    flags: number,
    background: number,
    foreground: number,
  ): void;
  set_mode(graphical: boolean): void;
  set_size_text(columns: number, rows: number): void;
  set_size_graphical(width: number, height: number, virtualWidth: number, virtualHeight: number): void;
  set_font_bitmap(
    height: number,
    width9px: boolean,
    widthDouble: boolean,
    copy8thColumn: boolean,
    bitmap: Uint8Array,
    changed: boolean,
  ): void;
  set_font_page(pageA: number, pageB: number): void;
  update_cursor_scanline(start: number, end: number, enabled: boolean): void;
  update_cursor(row: number, column: number): void;
  update_buffer(layers: readonly V86VgaLayer[]): void;
  clear_screen(): void;
  clear_text_state(): void;
}

export interface V86Ps2 {
  kbd_buffer: { length: number };
  mouse_buffer: { length: number };
  next_byte_is_ready: boolean;
  next_read_led: boolean;
  enable_keyboard_stream: boolean;
}

export interface V86BufferChain {
  length_readable: number;
  length_writable: number;
  get_next_blob(target: Uint8Array): number;
  set_next_blob(source: Uint8Array): number;
}

export interface V86VirtQueue {
  is_configured(): unknown;
  has_request(): boolean;
  pop_request(): V86BufferChain;
  push_reply(chain: V86BufferChain): void;
  flush_replies(): void;
}

export interface V86VirtIo {
  queues: V86VirtQueue[];
  device_status: number;
  reset(): void;
  get_state(): unknown[];
  set_state(state: unknown[]): void;
}

export interface V86VirtIoField {
  bytes: 1 | 2 | 4;
  name: string;
  read: () => number;
  write: (value: number) => void;
}

export interface V86VirtIoOptions {
  name: string;
  pci_id: number;
  device_id: number;
  subsystem_device_id: number;
  common: {
    initial_port: number;
    queues: { size_supported: number; notify_offset: number }[];
    features: number[];
    on_driver_ok: () => void;
  };
  notification: { initial_port: number; single_handler: boolean; handlers: ((queueId: number) => void)[] };
  isr_status: { initial_port: number };
  device_specific: { initial_port: number; struct: V86VirtIoField[] };
}

export interface V86Cpu {
  io: V86Io;
  wasm_memory: WebAssembly.Memory;
  /** A Proxy: every access builds a view. Only `byteOffset` is read; see MemoryMap. */
  mem8: Uint8Array;
  memory_size: Uint32Array;
  fw_value: Uint8Array | number[];
  option_roms: { name: string; data: Uint8Array }[];
  instruction_counter: Uint32Array;
  in_hlt: Uint8Array;
  /** EFLAGS without what v86 computes only when asked. */
  flags: Int32Array;
  /** Linear. */
  instruction_pointer: Int32Array;
  /** Bases of ES, CS, SS, DS, FS, GS, TR, LDTR. */
  segment_offsets: Int32Array;
  /** CR0 to CR7. */
  cr: Int32Array;
  /** Limit of the IDT. */
  idtr_size: Int32Array;
  /** Low and high half of what {@link store_current_tsc} stored. */
  current_tsc: Uint32Array;
  last_result: Int32Array;
  fpu_status_word: Int32Array | Uint16Array;
  mxcsr: Int32Array;
  devices: {
    pci: V86Pci;
    pit: { counter_mode: Uint8Array };
    rtc: {
      cmos_write(index: number, value: number): void;
      cmos_read?(index: number): number;
      /** Milliseconds since 1970; 0: none. */
      next_interrupt: number;
      update_interrupt_time: number;
    };
    vga: V86Vga;
    ps2: V86Ps2;
    vmware: { enabled: boolean; absolute: boolean; queue: { readonly length: number } };
    virtio_balloon: { virtio: V86VirtIo & { pci_id: number } };
  };
  get_state(): unknown[];
  set_state(state: unknown[]): void;
  reboot_internal(): void;
  store_current_tsc(): void;
  set_tsc(low: number, high: number): void;
  /** Physical address of a linear one that is mapped. */
  translate_address_system_read(address: number): number;
  /** A byte of physical memory. */
  read8(address: number): number;
  write_blob(data: Uint8Array, address: number): void;
  zero_memory(address: number, size: number): void;
  is_memory_zeroed(address: number, size: number): boolean | number;
  pack_memory(): { bitmap: { get_buffer(): ArrayBuffer }; packed_memory: Uint8Array };
  unpack_memory(bitmap: { get(index: number): number }, packed: Uint8Array): void;
}

export interface V86Core {
  /** The state at once; V86's own save_state only makes a promise of it. */
  save_state(): ArrayBuffer;
  cpu: V86Cpu;
  tick_counter: number;
  running: boolean;
  yield(milliseconds: number, tick: number): void;
  yield_callback(tick: number): void;
  unregister_yield(): void;
}

/** v86's `V86` object, its private side included. */
export interface V86Emulator {
  v86: V86Core;
  bus: { send(name: string, value?: unknown): void };
  is_running(): boolean;
  screen_adapter: V86Screen;
  add_listener(name: string, listener: (value: never) => void): void;
  run(): Promise<void>;
  stop(): Promise<void>;
  destroy(): Promise<void>;
  restore_state(state: ArrayBuffer): Promise<void>;
  serial0_send(text: string): void;
  get_instruction_counter(): number;
}

/** What a member must be: a function, a number, a boolean, a typed array (`length` readable), any object. */
export type MemberKind = "function" | "number" | "boolean" | "array" | "object";

/** One private member: its path from the V86 object, its kind, and why we need it. */
export interface PrivateMember {
  readonly path: string;
  readonly kind: MemberKind;
  readonly why: string;
}

const member = (path: string, kind: MemberKind, why: string): PrivateMember => ({ path, kind, why });

/** Every private member in use. What is not in this table may not be touched elsewhere. */
export const PRIVATE_MEMBERS: readonly PrivateMember[] = [
  member("v86.yield", "function", "replaced: v86's own spins while the guest idles"),
  member("v86.yield_callback", "function", "runs the next slice"),
  member("v86.unregister_yield", "function", "ends v86's own timer worker"),
  member("v86.save_state", "function", "snapshots: one moment, without giving the thread away"),
  member("v86.running", "boolean", "whether the machine runs"),
  member("v86.cpu.io.ports", "array", "hooks: fw_cfg, dispi, VGA registers, keyboard LEDs"),
  member("v86.cpu.io.register_read", "function", "QXL's I/O BAR"),
  member("v86.cpu.io.register_write", "function", "QXL's I/O BAR"),
  member("v86.cpu.wasm_memory.buffer", "object", "views of guest RAM and of the QXL aperture"),
  member("v86.cpu.mem8.byteOffset", "number", "where guest RAM starts in wasm memory"),
  member("v86.cpu.memory_size", "array", "size of guest RAM with the aperture"),
  member("v86.cpu.fw_value", "object", "fw_cfg answer RAM_SIZE without the aperture"),
  member("v86.cpu.option_roms", "array", "the ROM that starts the kernel without a disk"),
  member("v86.cpu.instruction_counter", "array", "statistics; tells an idle slice from a busy one"),
  member("v86.cpu.in_hlt", "array", "statistics: whether the guest idles"),
  member("v86.cpu.flags", "array", "whether a halted CPU can be woken"),
  member("v86.cpu.instruction_pointer", "array", "whether the CPU jumps on the spot for ever"),
  member("v86.cpu.segment_offsets", "array", "tells a power-off by APM from a halt"),
  member("v86.cpu.cr", "array", "whether a fault in v86 is the guest's triple fault"),
  member("v86.cpu.idtr_size", "array", "whether a fault in v86 is the guest's triple fault"),
  member("v86.cpu.current_tsc", "array", "takes time outside the machine out of the TSC"),
  member("v86.cpu.store_current_tsc", "function", "takes time outside the machine out of the TSC"),
  member("v86.cpu.set_tsc", "function", "takes time outside the machine out of the TSC"),
  member("v86.cpu.translate_address_system_read", "function", "whether the CPU jumps on the spot for ever"),
  member("v86.cpu.read8", "function", "whether the CPU jumps on the spot for ever"),
  member("v86.cpu.io.mmap_register", "function", "pvpanic's register"),
  member("v86.cpu.last_result", "array", "restored in place: v86 replaces the view by a copy"),
  member("v86.cpu.fpu_status_word", "array", "restored in place: v86 replaces the view by a copy"),
  member("v86.cpu.mxcsr", "array", "restored in place: v86 replaces the view by a copy"),
  member("v86.cpu.get_state", "function", "wrapped: our devices are inside v86's state"),
  member("v86.cpu.set_state", "function", "wrapped: our devices are inside v86's state"),
  member(
    "v86.cpu.reboot_internal",
    "function",
    "wrapped: a reboot resets our devices and reloads the kernel",
  ),
  member("v86.cpu.write_blob", "function", "loads the kernel where code may have run before"),
  member("v86.cpu.zero_memory", "function", "restore into a machine that has run"),
  member("v86.cpu.is_memory_zeroed", "function", "which pages a saved state needs"),
  member("v86.cpu.pack_memory", "function", "replaced: pages go straight to where a state is stored"),
  member("v86.cpu.unpack_memory", "function", "replaced: pages come straight from where a state is stored"),
  member("v86.cpu.devices.pci.devices", "array", "takes v86's VGA and balloon functions off the bus"),
  member("v86.cpu.devices.pci.device_spaces", "array", "takes v86's VGA and balloon functions off the bus"),
  member("v86.cpu.devices.pci.register_device", "function", "the QXL function"),
  member("v86.cpu.devices.pci.raise_irq", "function", "QXL's INTx"),
  member("v86.cpu.devices.pci.lower_irq", "function", "QXL's INTx"),
  member("v86.cpu.devices.pit.counter_mode", "array", "an idle guest rests only if its timer fires once"),
  member("v86.cpu.devices.rtc.cmos_write", "function", "hides the aperture from the BIOS"),
  member("v86.cpu.devices.rtc.next_interrupt", "number", "the host's clock was set back"),
  member("v86.cpu.devices.rtc.update_interrupt_time", "number", "the host's clock was set back"),
  member("v86.cpu.devices.vga.pci_id", "number", "v86's VGA function, replaced by QXL"),
  member("v86.cpu.devices.vga.graphical_mode", "boolean", "text or graphics before the driver"),
  member("v86.cpu.devices.vga.svga_enabled", "boolean", "VBE before the driver"),
  member("v86.cpu.devices.vga.svga_width", "number", "VBE mode"),
  member("v86.cpu.devices.vga.svga_height", "number", "VBE mode"),
  member("v86.cpu.devices.vga.svga_bpp", "number", "VBE mode"),
  member("v86.cpu.devices.vga.svga_offset", "number", "VBE display start"),
  member("v86.cpu.devices.vga.svga_bank_offset", "number", "VBE window at 0xA0000 leads into QXL RAM"),
  member("v86.cpu.devices.vga.dispi_index", "number", "VBE register being accessed"),
  member("v86.cpu.devices.vga.vga256_palette", "array", "8 bit VBE modes"),
  member(
    "v86.cpu.devices.vga.vga_memory_read",
    "function",
    "wrapped: VBE window at 0xA0000 leads into QXL RAM",
  ),
  member(
    "v86.cpu.devices.vga.vga_memory_write",
    "function",
    "wrapped: VBE window at 0xA0000 leads into QXL RAM",
  ),
  member("v86.cpu.devices.vga.screen_width", "number", "size of planar modes"),
  member("v86.cpu.devices.vga.screen_height", "number", "size of planar modes"),
  member("v86.cpu.devices.vga.max_cols", "number", "text size when scan-out starts"),
  member("v86.cpu.devices.vga.max_rows", "number", "text size when scan-out starts"),
  member("v86.cpu.devices.vga.screen_fill_buffer", "function", "pulls planar pictures"),
  member("v86.cpu.devices.vga.update_vertical_retrace", "function", "guests wait for it in graphics modes"),
  member("v86.cpu.devices.vga.text_mode_redraw", "function", "fetches the whole text when scan-out starts"),
  member("v86.cpu.devices.vga.complete_redraw", "function", "fetches the whole picture when scan-out starts"),
  member("v86.cpu.devices.ps2.kbd_buffer.length", "number", "paces scancodes"),
  member("v86.cpu.devices.ps2.mouse_buffer.length", "number", "paces relative motion"),
  member("v86.cpu.devices.ps2.next_byte_is_ready", "boolean", "paces scancodes"),
  member("v86.cpu.devices.ps2.next_read_led", "boolean", "finds the keyboard's LED byte"),
  member("v86.cpu.devices.ps2.enable_keyboard_stream", "boolean", "paces scancodes"),
  member("v86.cpu.devices.vmware.enabled", "boolean", "absolute pointer: its queue takes motions"),
  member("v86.cpu.devices.vmware.queue", "array", "paces the absolute pointer"),
  member(
    "v86.cpu.devices.virtio_balloon.virtio.constructor",
    "function",
    "the VirtIO class, for the agent's port",
  ),
  member("v86.cpu.devices.virtio_balloon.virtio.pci_id", "number", "takes the balloon off the bus again"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues", "array", "VirtQueue methods"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues.0.is_configured", "function", "VirtQueue"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues.0.has_request", "function", "VirtQueue"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues.0.pop_request", "function", "VirtQueue"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues.0.push_reply", "function", "VirtQueue"),
  member("v86.cpu.devices.virtio_balloon.virtio.queues.0.flush_replies", "function", "VirtQueue"),
  member("v86.cpu.devices.virtio_balloon.virtio.get_state", "function", "state of the agent's port"),
  member("v86.cpu.devices.virtio_balloon.virtio.set_state", "function", "state of the agent's port"),
  member("v86.cpu.devices.virtio_balloon.virtio.reset", "function", "reboot resets the agent's port"),
  member("bus.send", "function", "keyboard and pointer events"),
  member("is_running", "function", "time that a guest does not have is not held against it"),
  member("screen_adapter.put_char", "function", "replaced: text screen"),
  member("screen_adapter.set_mode", "function", "replaced: mode changes"),
  member("screen_adapter.set_size_text", "function", "replaced: text screen"),
  member("screen_adapter.set_size_graphical", "function", "replaced: mode changes"),
  member("screen_adapter.set_font_bitmap", "function", "replaced: text font"),
  member("screen_adapter.set_font_page", "function", "replaced: text font"),
  member("screen_adapter.update_cursor", "function", "replaced: text cursor"),
  member("screen_adapter.update_cursor_scanline", "function", "replaced: text cursor"),
  member("screen_adapter.update_buffer", "function", "replaced: planar pictures"),
  member("screen_adapter.clear_screen", "function", "replaced: blanked planar screen"),
  member("screen_adapter.clear_text_state", "function", "replaced: restore of a text screen"),
  member("get_instruction_counter", "function", "statistics"),
  member("restore_state", "function", "snapshots"),
  member("serial0_send", "function", "serial console"),
];

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "array";
  if (typeof value === "object" && typeof Reflect.get(value, "length") === "number") return "array";
  return typeof value;
};

const fits = (value: unknown, kind: MemberKind): boolean => {
  const found = kindOf(value);
  return found === kind || (kind === "object" && found === "array");
};

/** Follows a dotted path; undefined as soon as a step is missing. */
const follow = (root: unknown, path: string): unknown => {
  let value: unknown = root;
  for (const step of path.split(".")) {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return undefined;
    // Members of v86's own view proxies must be read with the proxy as receiver, as plain code would.
    value = (value as Record<string, unknown>)[step];
  }
  return value;
};

/**
 * Checks {@link PRIVATE_MEMBERS} on a V86 object whose devices exist (after "emulator-loaded") and gives back its
 * typed private side.
 * @throws V86SurfaceError naming the first member that is missing or of another kind
 */
export const assertPrivateMembers = (emulator: unknown): V86Emulator => {
  for (const { path, kind } of PRIVATE_MEMBERS) {
    const value = follow(emulator, path);
    if (!fits(value, kind)) throw new V86SurfaceError(path, `of kind ${kind}`, kindOf(value), V86_VERSION);
  }
  return emulator as V86Emulator;
};
