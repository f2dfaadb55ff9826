import { CodedError } from "../errors/index.ts";

/** A private member of v86 that we rely on is missing or has another shape: another v86 than the pinned one was installed. */
export class V86SurfaceError extends CodedError {
  override readonly name = "V86SurfaceError";
  readonly code = "V86_SURFACE";
  readonly member: string;

  constructor(member: string, expected: string, found: string, pinnedVersion: string) {
    super(
      `v86: private member ${member} should be ${expected} but is ${found}. ` +
        `This build is made for v86 ${pinnedVersion} exactly; reinstall that version (npm ci).`,
    );
    this.member = member;
  }
}

/** The machine cannot be laid out as asked (sizes, alignment). */
export class MachineOptionsError extends CodedError {
  override readonly name = "MachineOptionsError";
  readonly code = "MACHINE_OPTIONS";
}

/** A kernel image that the direct boot loader cannot start. */
export class KernelImageError extends CodedError {
  override readonly name = "KernelImageError";
  readonly code = "KERNEL_IMAGE";
}

/** A guest's files could not be had: which file, and why. */
export class GuestFilesError extends CodedError {
  override readonly name = "GuestFilesError";
  readonly code = "GUEST_FILES";
  readonly file: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`guest file ${file}: ${reason}`, options);
    this.file = file;
  }
}

/** The browser has no memory for the machine, or for its files. */
export class OutOfMemoryError extends CodedError {
  override readonly name = "OutOfMemoryError";
  readonly code = "OUT_OF_MEMORY";

  constructor(what: string, options?: ErrorOptions) {
    super(`there is no memory for ${what}`, options);
  }
}

/** The machine has come to its end, or is about to: there is nothing to keep, and what was kept before stays. */
export class MachineEndedError extends CodedError {
  override readonly name = "MachineEndedError";
  readonly code = "MACHINE_ENDED";

  constructor(words: string) {
    super(`${words} It is not saved; what was saved before is untouched.`);
  }
}

/** The agent's port went away (closed by the guest, machine reset) before it took the bytes. */
export class AgentPortClosedError extends CodedError {
  override readonly name = "AgentPortClosedError";
  readonly code = "AGENT_PORT_CLOSED";

  constructor(reason: string) {
    super(`agent port: ${reason}; the bytes were dropped`);
  }
}

/** More bytes for the agent are waiting than the port's queue may hold. */
export class AgentPortOverflowError extends CodedError {
  override readonly name = "AgentPortOverflowError";
  readonly code = "AGENT_PORT_OVERFLOW";

  constructor(waiting: number, limit: number) {
    super(
      `agent port: ${waiting} bytes are waiting for the guest, the limit is ${limit}; wait for agentWrite to resolve`,
    );
  }
}
