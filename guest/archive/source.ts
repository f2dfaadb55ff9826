import type { HttpClient } from "./http.ts";
import type { Mirror } from "./mirror.ts";

/** Where files of an archive come from and are kept, and where that is told. */
export interface ArchiveSource {
  client: HttpClient;
  mirror: Mirror;
  cacheDir: string;
  /** Bytes done of bytes known. */
  onBytes(done: number, total: number, detail: string): void;
  /** A plain sentence for a person. */
  onNote(text: string): void;
}
