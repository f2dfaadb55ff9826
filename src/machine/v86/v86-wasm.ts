/** Instantiates v86.wasm; where its features are missing, v86-fallback.wasm. */
import { GuestFilesError } from "../errors.ts";

const compile = async (url: string): Promise<WebAssembly.Module> => {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new GuestFilesError(url, "the server does not answer", { cause });
  });
  if (!response.ok) throw new GuestFilesError(url, `the server answers ${response.status}`);
  // Streaming also lets the browser keep the compiled code for the next visit; it insists on the right type.
  return response.headers.get("Content-Type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
};

/** A loader for the machine's `loadWasm` option. It begins at once: when a machine is made, the module is ready. */
export const loadWasmFrom = (
  url: string,
  fallbackUrl: string,
): ((imports: WebAssembly.Imports) => Promise<WebAssembly.Exports>) => {
  const early = compile(url);
  early.catch(() => {
    // Told to whoever makes a machine; nobody may ever do so.
  });
  const load = async (): Promise<WebAssembly.Module> => {
    try {
      return await early;
    } catch (error) {
      // The server may be back since.
      return compile(error instanceof WebAssembly.CompileError ? fallbackUrl : url);
    }
  };
  return async (imports) => (await WebAssembly.instantiate(await load(), imports)).exports;
};
