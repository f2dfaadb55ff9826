// Runs in a module worker of the page's own origin: v86 alone, restoring the same bytes the same machine was saved to.
// The least that any page with this state has to do; no devices of ours, no screen.
import { V86 } from "./libv86.mjs";

self.onmessage = ({ data }) => {
  restore(data).catch((error) => self.postMessage({ error: String(error) }));
};

async function restore(data) {
  const { level, headerBytes, memoryBytes } = data;
  const states = await (await navigator.storage.getDirectory()).getDirectoryHandle("states");
  const state = await newestState(states, level, headerBytes);
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

// The header is a magic of 16 bytes, the length of its JSON, and the JSON; v86's bytes follow, then our digests.
async function newestState(states, level, headerBytes) {
  let newest;
  for (const place of [0, 1, 2]) {
    const handle = await states.getFileHandle(`${level}.${place}`).catch(() => undefined);
    if (!handle) continue;
    const access = await handle.createSyncAccessHandle();
    const block = new Uint8Array(headerBytes);
    access.read(block, { at: 0 });
    const magic = new TextDecoder().decode(block.subarray(0, 14));
    if (magic !== "SPICETAB-STATE") {
      access.close();
      continue;
    }
    const length = new DataView(block.buffer).getUint32(16, true);
    const header = JSON.parse(new TextDecoder().decode(block.subarray(20, 20 + length)));
    if (newest && newest.header.generation > header.generation) access.close();
    else {
      newest?.access.close();
      newest = { access, header };
    }
  }
  const state = new Uint8Array(newest.header.stateBytes);
  for (let at = 0; at < state.length;) at += newest.access.read(state.subarray(at), { at: headerBytes + at });
  newest.access.close();
  return state;
}
