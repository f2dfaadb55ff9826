import type { ReadStream, Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, relative, sep } from "node:path";
import send from "send";
import type { CompressedCopies } from "./compressed-copies.ts";
import type { HttpPace } from "./http-pace.ts";
import { isFromHere } from "./proxy.ts";

/** How the files of one folder are served. */
export interface StaticFilesOptions {
  /** True when the content behind this path and query never changes: then it is cached for ever. */
  readonly immutable: (path: string, query: URLSearchParams) => boolean;
  /** What is sent instead to whoever is further away than this machine. */
  readonly copies?: CompressedCopies;
  /** Each piece of a file waits for its turn there. @default none does */
  readonly pace?: HttpPace;
}

/**
 * Serves the files below `root`, by ranges where they are asked for. False: there is no such file, or the path would leave the folder
 * (by a link, too) or names something hidden.
 */
export async function serveFile(
  root: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  options: StaticFilesOptions,
): Promise<boolean> {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const found = await find(root, path);
  if (found === undefined) return false;
  const query = URL.parse(request.url ?? "/", "http://relay")?.searchParams ?? new URLSearchParams();
  response.setHeader(
    "Cache-Control",
    options.immutable(path, query) ? "public, max-age=31536000, immutable" : "no-cache",
  );
  let { folder, name } = found;
  if (options.copies !== undefined) {
    response.setHeader("Vary", "Accept-Encoding");
    // Within a machine, unpacking takes longer than copying: Chromium had a desktop's 80 MB after 0.8 s as they are, after 2.4 s as
    // gzip (medians of four, fetched and read to the end on two busy cores).
    const copy =
      !isFromHere(request) && takesGzip(request)
        ? await options.copies.find(found.file, found.stats)
        : undefined;
    if (copy !== undefined) {
      ({ folder, name } = copy);
      response.setHeader("Content-Encoding", "gzip");
    }
  }
  return sendFile(folder, name, request, response, options.pace);
}

/** The file itself, with all links followed, if it is one and lies in the folder. */
async function find(root: string, path: string) {
  const segments = decodePath(path);
  if (segments === undefined) return undefined;
  try {
    const folder = await realpath(root);
    const file = await realpath(join(folder, ...segments));
    const name = relative(folder, file);
    if (!file.startsWith(folder + sep) || name.split(sep).some(isHidden)) return undefined;
    const stats: Stats = await stat(file);
    return stats.isFile() ? { folder, name, file, stats } : undefined;
  } catch {
    return undefined;
  }
}

async function sendFile(
  folder: string,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  pace: HttpPace | undefined,
): Promise<boolean> {
  const url = name.split(sep).map(encodeURIComponent).join("/");
  return new Promise((resolve) => {
    // Its answer is over when it is sent, or when the reader has left: no error of ours.
    response.once("close", () => resolve(true));
    send(request, url, { root: folder, index: false, cacheControl: false })
      .on("stream", (file: ReadStream) => {
        // It is piped behind this event.
        if (pace !== undefined) file.pipe = (target) => (void passOn(file, response, pace), target);
      })
      .on("directory", () => resolve(false))
      .on("error", (error: { status: number; headers?: Record<string, string> }) => {
        if (response.headersSent) response.destroy();
        else if (error.status === 416 || error.status === 412) {
          for (const header of ["Content-Encoding", "Content-Type"]) response.removeHeader(header);
          response.writeHead(error.status, error.headers).end();
        } else {
          // It went while we looked.
          for (const header of ["Content-Encoding", "Cache-Control", "Vary"]) response.removeHeader(header);
          resolve(false);
        }
      })
      .pipe(response);
  });
}

async function passOn(file: ReadStream, response: ServerResponse, pace: HttpPace): Promise<void> {
  try {
    for await (const piece of file) {
      const hasRoom = await new Promise<boolean>((resolve) =>
        pace.ask(() => {
          resolve(response.write(piece));
          return false;
        }, true),
      );
      if (!hasRoom && response.writableNeedDrain) await drained(response);
      if (response.destroyed) return;
    }
    response.end();
  } catch {
    // The file cannot be read on, or it was closed since the reader has left.
    response.destroy();
  }
}

async function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
    if (response.destroyed) done();
  });
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
  return segments.some(isHidden) ? undefined : segments;
}

function isHidden(segment: string): boolean {
  return segment.startsWith(".");
}

/** RFC 9110, 12.5.3; a weight of 0 means: not this. */
function takesGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers["accept-encoding"] ?? "").split(",");
  return accepted.some((entry) => /^\s*(gzip|x-gzip)\s*(;\s*q=(?!0(\.0*)?\s*$)[\d.]+\s*)?$/i.test(entry));
}
