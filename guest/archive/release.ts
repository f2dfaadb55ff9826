import { GuestBuildError } from "../errors.ts";
import type { Expected } from "../files.ts";
import { parseParagraphs } from "./control.ts";

/** The part of a Release file that the builder reads. */
export interface Release {
  codename: string;
  /** When the archive made it, in milliseconds since 1970. */
  dateMs: number;
  /** After when it is not to be used; undefined when it does not say. */
  validUntilMs: number | undefined;
  /** Files by their path below the suite's folder. */
  files: Map<string, Expected>;
}

function parseDate(value: string): number | undefined {
  // RFC 5322 in the one form of Release files; Date.parse alone would take almost anything.
  if (!/^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:UTC|GMT|[+]0000)$/.test(value))
    return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** Reads a verified Release text. @throws GuestBuildError when it is not one */
export function parseRelease(text: string): Release {
  const refuse = (what: string) =>
    new GuestBuildError("signature", `The archive's InRelease ${what}; is this a Debian mirror?`);
  const paragraphs = parseParagraphs(text);
  if (paragraphs.length !== 1) throw refuse(`has ${paragraphs.length} paragraphs instead of one`);
  const [paragraph] = paragraphs;
  const files = new Map<string, Expected>();
  for (const line of (paragraph.get("SHA256") ?? "").split("\n")) {
    if (line === "") continue;
    const match = /^([0-9a-fA-F]{64})[ \t]+(\d{1,15})[ \t]+([!-~]+)$/.exec(line);
    if (match === null) throw refuse(`has the line "${line.slice(0, 100)}" in its SHA256 list`);
    const [, sha256, size, path] = match;
    if (files.has(path)) throw refuse(`names ${path} twice`);
    files.set(path, { size: Number(size), sha256: sha256.toLowerCase() });
  }
  if (files.size === 0) throw refuse("has no SHA256 list");
  const date = parseDate(paragraph.get("Date") ?? "");
  if (date === undefined) throw refuse("has no date");
  const until = paragraph.get("Valid-Until");
  const validUntilMs = until === undefined ? undefined : parseDate(until);
  if (until !== undefined && validUntilMs === undefined) throw refuse(`has the Valid-Until "${until}"`);
  return { codename: paragraph.get("Codename") ?? "", dateMs: date, validUntilMs, files };
}
