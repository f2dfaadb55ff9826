import type { ClientImage } from "../client/index.ts";
import { PaletteCache, PixmapCache } from "../client/index.ts";
import type { RedPalette } from "../protocol/red-command.ts";

/** A client's pixmap cache that throws where its server did what stock clients bear, but should not have to. */
export class StrictPixmapCache extends PixmapCache {
  /** Most pixels it ever held. */
  peak = 0;
  hits = 0;
  invalidated = 0;

  /** spice-gtk counts references of an id that comes twice, and would then keep the image behind its INVAL_LIST. */
  override put(id: bigint, entry: ClientImage, lossy?: boolean): void {
    if (this.has(id)) throw new Error(`image ${id} is cached already`);
    super.put(id, entry, lossy);
    this.peak = Math.max(this.peak, this.used);
  }

  override get(id: bigint, width: number, height: number, lossless?: boolean): ClientImage {
    const entry = super.get(id, width, height, lossless);
    this.hits++;
    return entry;
  }

  /** Dropping an id that is not there is no error in spice-gtk (`display_handle_inv_list`), so neither here. */
  override drop(id: bigint): void {
    this.invalidated++;
    super.drop(id);
  }
}

/** The same of palettes. */
export class StrictPaletteCache extends PaletteCache {
  hits = 0;

  override put(palette: RedPalette): void {
    if (palette.unique === 0n || this.has(palette.unique))
      throw new Error(`palette ${palette.unique} is cached already`);
    super.put(palette);
  }

  override get(id: bigint): RedPalette {
    const palette = super.get(id);
    this.hits++;
    return palette;
  }
}
