/**
 * What the page needs of its browser, looked up before anything starts, so that a person is told in a sentence what is missing instead
 * of meeting an exception from deep inside. What is only nicer to have has its fallback where it is used and at most a note here.
 */
import type { Problem } from "./state.ts";

/** The part of a window that is looked at. */
export interface PlatformScope {
  readonly isSecureContext: boolean;
  readonly location: { readonly origin: string; readonly hostname: string };
  readonly navigator: { readonly locks?: unknown };
  readonly Worker?: unknown;
  readonly WebAssembly?: { validate(bytes: Uint8Array<ArrayBuffer>): boolean };
  readonly MessageChannel?: unknown;
  readonly BroadcastChannel?: unknown;
  readonly OffscreenCanvas?: unknown;
  readonly HTMLCanvasElement?: { readonly prototype: object };
}

/** `obstacle`: the machine cannot run here. `isScreenMissing`: it runs, but its picture cannot be shown in this page. */
export interface PlatformReport {
  readonly obstacle?: Problem;
  readonly isScreenMissing: boolean;
}

const UPDATE = "Update this browser, or use a current Chromium, Firefox, Safari or Edge.";

/** An empty module: a browser that refuses it has no WebAssembly, or forbids it. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Looks at a window (or what stands for one). Never throws. */
export function examinePlatform(scope: PlatformScope): PlatformReport {
  const canvas = scope.HTMLCanvasElement?.prototype;
  const isScreenMissing =
    scope.OffscreenCanvas === undefined || canvas === undefined || !("transferControlToOffscreen" in canvas);
  return { obstacle: obstacle(scope), isScreenMissing };
}

function obstacle(scope: PlatformScope): Problem | undefined {
  if (!scope.isSecureContext) {
    return {
      title: "This address can join a machine, but not host one",
      detail:
        `Browsers keep what a host needs from plain http pages of other computers, and this page is ${scope.location.origin}. ` +
        "Other programs can join by the addresses beside.",
      remedy:
        "To host, open the page on the computer that runs spicetab (http://localhost or 127.0.0.1), or put TLS in front of it.",
    };
  }
  if (!hasWebAssembly(scope)) {
    return {
      title: "This browser runs no WebAssembly",
      detail: "The machine is emulated by WebAssembly, which this browser lacks or is set to forbid.",
      remedy: `Allow WebAssembly (JIT) for this site. ${UPDATE}`,
    };
  }
  const lacking = Object.entries({
    "Web Workers": scope.Worker,
    MessageChannel: scope.MessageChannel,
    BroadcastChannel: scope.BroadcastChannel,
    "Web Locks": scope.navigator.locks,
  }).filter(([, feature]) => feature === undefined);
  if (lacking.length === 0) return undefined;
  const names = lacking.map(([name]) => name).join(", ");
  return {
    title: "This browser cannot host the machine",
    detail: `It lacks ${names}.`,
    remedy: UPDATE,
  };
}

function hasWebAssembly({ WebAssembly }: PlatformScope): boolean {
  try {
    return WebAssembly?.validate(EMPTY_MODULE) ?? false;
  } catch {
    return false;
  }
}

/** The browser said no when the page asked for the machine's lock: storage or locks are denied to this site. */
export function locksDeniedProblem(reason: string): Problem {
  return {
    title: "The browser denies this page its storage",
    detail: `One lock per browser keeps two tabs from running the same machine, and asking for it failed: ${reason}`,
    remedy: "Allow cookies and site data for this address, leave private or sandboxed frames, then reload.",
  };
}

/** The machine runs and others see it; only this page has no picture. */
export const SCREEN_MISSING: Problem = {
  title: "The picture cannot be shown in this tab",
  detail:
    "This browser lacks OffscreenCanvas. The machine runs all the same, and other programs can join it.",
  remedy: `Join with a SPICE client. ${UPDATE}`,
};
