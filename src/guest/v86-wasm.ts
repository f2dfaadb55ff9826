/** Instantiates v86.wasm; where its features are missing, v86-fallback.wasm. */

const bytesFrom = async (url: string): Promise<ArrayBuffer> => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}`);
  return response.arrayBuffer();
};

/** A loader for the machine's `loadWasm` option. */
export const loadWasmFrom =
  (url: string, fallbackUrl: string) =>
  async (imports: WebAssembly.Imports): Promise<WebAssembly.Exports> => {
    try {
      return (await WebAssembly.instantiate(await bytesFrom(url), imports)).instance.exports;
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
      return (await WebAssembly.instantiate(await bytesFrom(fallbackUrl), imports)).instance.exports;
    }
  };
