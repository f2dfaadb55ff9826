/** The primary surface as the page gives it: base64 of its 32-bit pixels (blue, green, red, unused), row after row. */
export interface SurfaceText {
  readonly width: number;
  readonly height: number;
  readonly base64: string;
}

/** Runs in the page, in any browser: nothing outside of it may be named here. */
export async function readSurfaceInPage(): Promise<SurfaceText> {
  // A driver that changes its mode destroys the primary and then creates another: in between there is none.
  const read = async (tries: number): Promise<Awaited<ReturnType<typeof window.spicetab.readSurface>>> => {
    try {
      return await window.spicetab.readSurface(0);
    } catch (error) {
      if (tries === 0 || !String(error).includes("there is no surface 0")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return read(tries - 1);
    }
  };
  const { width, height, pixels } = await read(100);
  const blob = new Blob([pixels.slice()]);
  const url = await new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsDataURL(blob);
  });
  return { width, height, base64: url.slice(url.indexOf(",") + 1) };
}
