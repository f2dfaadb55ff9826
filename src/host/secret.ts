/**
 * The secret of the server's start, which its terminal prints in the page's URL (`…/#secret=…`). The page takes it out of
 * the address bar and keeps it for this origin, port included, so that a reload or another tab of this browser still has it.
 */
import { isSecret } from "../formats/index.ts";

const KEY = "spicetab:secret";

/** What a person pasted: the secret alone, or the whole URL that holds it. */
export function readSecret(text: string): string {
  const trimmed = text.trim();
  const hash = /#(.*)$/.exec(trimmed)?.[1] ?? "";
  const secret = new URLSearchParams(hash).get("secret") ?? trimmed;
  // As a letter or a document quotes it.
  return secret.replaceAll(/^[\s"'`\u00ab\u00bb\u2018-\u201f<]+|[\s"'`\u00ab\u00bb\u2018-\u201f>]+$/g, "");
}

/** The secrets that may be the server's, best first: of the address, out of which it is taken, of this tab, of this browser. */
export function secretsToTry(): string[] {
  const kept = storages().map((storage) => storage.getItem(KEY));
  return [...new Set([takeFromAddress(), ...kept])].filter(
    (secret): secret is string => secret !== null && isSecret(secret),
  );
}

/** Keeps a secret that the server took, for this browser: any page may send it here with a wrong one. */
export function keepSecret(secret: string): void {
  for (const storage of storages()) keep(storage, secret);
}

/** Hears of a secret that comes later: in this page's address, or kept by another tab. */
export function watchSecret(onSecret: (secret: string) => void): Disposable {
  const hashChanged = () => {
    const given = takeFromAddress();
    if (given !== null && isSecret(given)) onSecret(given);
  };
  const stored = ({ key, newValue }: StorageEvent) => {
    if (key === KEY && newValue !== null) onSecret(newValue);
  };
  addEventListener("hashchange", hashChanged);
  addEventListener("storage", stored);
  return {
    [Symbol.dispose]() {
      removeEventListener("hashchange", hashChanged);
      removeEventListener("storage", stored);
    },
  };
}

/** A reload that comes before the server has answered still has it: this tab keeps what may be one, right or wrong. */
function takeFromAddress(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get("secret");
  if (given === null) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  const [tab] = storages();
  if (tab !== undefined && isSecret(given)) keep(tab, given);
  return given;
}

function keep(storage: Storage, secret: string): void {
  try {
    storage.setItem(KEY, secret);
  } catch {
    // It may be full: then this page alone has it.
  }
}

/** This tab's and this browser's, as far as this page may use them: reading the property throws where storage is blocked. */
function storages(): Storage[] {
  const found: Storage[] = [];
  for (const name of ["sessionStorage", "localStorage"] as const) {
    try {
      found.push(globalThis[name]);
    } catch {
      // Blocked for this site.
    }
  }
  return found;
}
