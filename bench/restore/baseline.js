// Runs in a module worker of the page's own origin: v86 alone, restoring the same bytes the same machine was saved to.
// The least that any page with this state has to do; no devices of ours, no screen.
import { V86 } from "./libv86.mjs";

self.onmessage = ({ data }) => {
  restore(data).catch((error) => self.postMessage({ error: String(error) }));
};

async function restore(data) {
  const { level, headerBytes, memoryBytes } = data;
  const states = await (await navigator.storage.getDirectory()).getDirectoryHandle("states");
  const access = await (await states.getFileHandle(level)).createSyncAccessHandle();
  const state = new Uint8Array(access.getSize() - headerBytes);
  for (let at = 0; at < state.length;) at += access.read(state.subarray(at), { at: headerBytes + at });
  access.close();
  const file = async (name) => ({ buffer: await (await fetch(`/${name}`)).arrayBuffer() });
  const emulator = new V86({
    wasm_path: "/v86.wasm",
    memory_size: memoryBytes,
    vga_memory_size: 256 << 10,
    bios: await file("bios.bin"),
    vga_bios: await file("vgabios-qxl.bin"),
    autostart: false,
    acpi: false,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
    virtio_balloon: true,
    net_device: { type: "none" },
  });
  await new Promise((resolve) => emulator.add_listener("emulator-loaded", resolve));
  await emulator.restore_state(state.buffer);
  self.postMessage({ done: performance.timeOrigin + performance.now() });
}
