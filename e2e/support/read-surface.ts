/** The primary surface as the page gives it: base64 of its 32-bit pixels (blue, green, red, unused), row after row. */
export interface SurfaceText {
  readonly width: number;
  readonly height: number;
  readonly base64: string;
}

/**
 * Runs in the page, in any browser: nothing outside of it may be named here, and no function in it may have a name (the compiler that
 * runs our programs would call a helper of its own for that).
 */
export async function readSurfaceInPage(display = 0): Promise<SurfaceText> {
  // A driver that changes its mode destroys the primary and then creates another: in between there is none.
  for (let tries = 100; ; tries--) {
    try {
      const { width, height, pixels } = await window.spicetab.readSurface(0, display);
      const blob = new Blob([pixels.slice()]);
      const url = await new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.addEventListener("load", () => resolve(reader.result as string));
        reader.readAsDataURL(blob);
      });
      return { width, height, base64: url.slice(url.indexOf(",") + 1) };
    } catch (error) {
      if (tries === 0 || !String(error).includes("there is no surface 0")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
