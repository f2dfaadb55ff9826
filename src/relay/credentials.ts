import { readFileSync, statSync } from "node:fs";
import type { CliOptions } from "./cli-options.ts";
import { UsageError } from "./cli-options.ts";
import { MAX_SECRET_CHARACTERS, MIN_SECRET_CHARACTERS, isSecret } from "../formats/index.ts";
import { moment, readPasswordEnd } from "./password-end.ts";
import { makeSecret } from "./secret.ts";

/** spice-server's SPICE_MAX_PASSWORD_LENGTH, in bytes: longer ones do not fit a ticket everywhere. */
const MAX_PASSWORD_BYTES = 60;

/** What people must know: clients the password, hosts the secret. */
export interface Credentials {
  /** Empty: none is asked for. */
  readonly password: string;
  /** Milliseconds since 1970 from which on the password lets nobody in; undefined: it does for ever. */
  readonly passwordValidUntil: number | undefined;
  readonly secret: string;
  /** Lines for the terminal about who else may know them. */
  readonly notes: readonly string[];
}

/**
 * Reads password and secret from the command line, files and the environment, in this order, and takes them out of
 * `environment`: the programs that we start inherit it. @throws UsageError
 */
export function readCredentials(
  options: Pick<CliOptions, "password" | "passwordFile" | "passwordExpires" | "secretFile">,
  environment: NodeJS.ProcessEnv = process.env,
): Credentials {
  const notes: string[] = [];
  if (options.password !== undefined && options.passwordFile !== undefined) {
    throw new UsageError("--password and --password-file exclude each other");
  }
  const fromFile = (option: string, path: string) => {
    const { words, isOpen } = readFirstLine(option, path);
    if (isOpen) notes.push(`Note: others on this computer can read ${path}; chmod 600 keeps it to you.`);
    return words;
  };
  let [what, password] = ["--password", options.password];
  if (password !== undefined) {
    notes.push(
      "Note: others on this computer can see --password in the list of processes; " +
        "--password-file and SPICETAB_PASSWORD keep it to you.",
    );
  } else if (options.passwordFile !== undefined) {
    [what, password] = ["--password-file", fromFile("--password-file", options.passwordFile)];
  } else {
    [what, password] = ["SPICETAB_PASSWORD", environment.SPICETAB_PASSWORD];
  }
  if (password === "") throw new UsageError(`${what} must not be empty; leave it out for none`);
  if (password !== undefined && Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new UsageError(`${what} must have at most ${MAX_PASSWORD_BYTES} bytes`);
  }
  const { passwordExpires } = options;
  if (passwordExpires !== undefined && password === undefined) {
    throw new UsageError("--password-expires needs a password; --password-file sets one");
  }
  const passwordValidUntil = passwordExpires === undefined ? undefined : readPasswordEnd(passwordExpires);
  if (passwordValidUntil !== undefined) {
    notes.push(
      `Note: the password lets nobody in from ${moment(passwordValidUntil)} on; who is in then stays in.`,
    );
  }
  const secret =
    options.secretFile === undefined
      ? environment.SPICETAB_SECRET
      : fromFile("--secret-file", options.secretFile);
  if (secret !== undefined && !isSecret(secret)) {
    const name = options.secretFile === undefined ? "SPICETAB_SECRET" : "--secret-file";
    throw new UsageError(
      `${name} must hold ${MIN_SECRET_CHARACTERS} to ${MAX_SECRET_CHARACTERS} letters, digits, - and _, such as the output of: ` +
        "openssl rand -hex 16",
    );
  }
  delete environment.SPICETAB_PASSWORD;
  delete environment.SPICETAB_SECRET;
  return { password: password ?? "", passwordValidUntil, secret: secret ?? makeSecret(), notes };
}

/** The first line of a file, as editors and `echo` leave it; `isOpen`: others than its owner may read it. */
function readFirstLine(option: string, path: string): { words: string; isOpen: boolean } {
  try {
    const [words] = readFileSync(path, "utf8").split(/\r?\n/, 1);
    return { words, isOpen: (statSync(path).mode & 0o044) !== 0 };
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
