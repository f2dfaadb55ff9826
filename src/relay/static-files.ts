import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** How the files of one folder are served. */
export interface StaticFilesOptions {
  /** True when the content behind this path and query never changes: then it is cached for ever. */
  readonly immutable: (path: string, query: URLSearchParams) => boolean;
}

/**
 * Serves the files below `root`, whole and with their length, so that a page can show how much of a download is done.
 * False: there is no such file, or the path would leave the folder or names something hidden.
 */
export async function serveFile(
  root: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  options: StaticFilesOptions,
): Promise<boolean> {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const segments = decodePath(path);
  if (segments === undefined) return false;
  const file = join(root, ...segments);
  const entry = await stat(file).catch(() => undefined);
  if (entry === undefined || !entry.isFile()) return false;
  const query = URL.parse(request.url ?? "/", "http://relay")?.searchParams ?? new URLSearchParams();
  const etag = `W/"${entry.size.toString(36)}-${Math.trunc(entry.mtimeMs).toString(36)}"`;
  response.setHeader("ETag", etag);
  response.setHeader(
    "Cache-Control",
    options.immutable(path, query) ? "public, max-age=31536000, immutable" : "no-cache",
  );
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304).end();
    return true;
  }
  response.writeHead(200, {
    "Content-Type": CONTENT_TYPES[extname(file)] ?? "application/octet-stream",
    "Content-Length": entry.size,
  });
  if (request.method === "HEAD") response.end();
  // A reader that leaves in the middle is no error of ours.
  else await pipeline(createReadStream(file), response).catch(() => response.destroy());
  return true;
}

function decodePath(path: string): string[] | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (/[\\\0]/.test(decoded)) return undefined;
  const segments = decoded.split("/").filter((segment) => segment !== "");
  return segments.some((segment) => segment.startsWith(".")) ? undefined : segments;
}
