/**
 * The secret of the server's start, which its terminal prints in the page's URL (`…/#secret=…`). The page takes it out of
 * the address bar and keeps it for this origin, port included, so that a reload or another tab of this browser still has it.
 */
const KEY = "spicetab:secret";

/** What a person pasted: the secret alone, or the whole URL that holds it. */
export function readSecret(text: string): string {
  const trimmed = text.trim();
  const hash = /#(.*)$/.exec(trimmed)?.[1] ?? "";
  return new URLSearchParams(hash).get("secret") ?? trimmed;
}

/** Takes the secret out of the page's address; undefined when there is none. */
export function secretFromAddress(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("secret");
  if (given === null) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return given;
}

/** The one that the server took last; undefined when this browser never had one. */
export function keptSecret(): string | undefined {
  for (const storage of storages()) {
    const kept = storage.getItem(KEY);
    if (kept !== null) return kept;
  }
  return undefined;
}

/** Keeps a secret that the server took: any page may send this browser here with a wrong one. */
export function keepSecret(secret: string): void {
  for (const storage of storages()) {
    try {
      storage.setItem(KEY, secret);
    } catch {
      // Storage may be blocked or full: then this page alone has it.
    }
  }
}

/** Hears of a secret that comes later: in this page's address, or kept by another tab. */
export function watchSecret(onSecret: (secret: string) => void): Disposable {
  const hashChanged = () => {
    const given = secretFromAddress();
    if (given !== undefined) onSecret(given);
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

/** What of the two this page may use: reading the property throws where storage is blocked. */
function storages(): Storage[] {
  const found: Storage[] = [];
  for (const name of ["localStorage", "sessionStorage"] as const) {
    try {
      found.push(globalThis[name]);
    } catch {
      // Blocked for this site.
    }
  }
  return found;
}
