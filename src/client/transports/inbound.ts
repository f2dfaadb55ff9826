/** What came from a wire and nobody has read yet, and the wire's end behind it: the reading half of a ByteTransport. */
export abstract class Inbound {
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #onClose: ((reason: string) => void) | undefined;
  #unread: Uint8Array[] = [];
  #waiting = 0;
  #endReason: string | undefined;
  /** Nothing is told any more: it was told, or this side closed. */
  #silent = false;

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(handler: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = handler;
    this.#deliver();
  }

  get onClose(): ((reason: string) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((reason: string) => void) | undefined) {
    this.#onClose = handler;
    this.#announceEnd();
  }

  unread(bytes: Uint8Array): void {
    if (this.#silent || bytes.length === 0) return;
    this.#unread.unshift(bytes);
    this.#waiting += bytes.length;
    this.#deliver();
  }

  /** Bytes that nobody has read. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The peer has ended, or this side closed. */
  get ended(): boolean {
    return this.#silent || this.#endReason !== undefined;
  }

  /** Bytes came. */
  protected received(bytes: Uint8Array): void {
    if (this.ended || bytes.length === 0) return;
    this.#unread.push(bytes);
    this.#waiting += bytes.length;
    this.#deliver();
  }

  /** The peer has ended; what it sent before is still read first. */
  protected finished(reason: string): void {
    if (this.ended) return;
    this.#endReason = reason;
    this.#announceEnd();
  }

  /** This side closed: what is unread goes, and nobody is told. */
  protected silence(): void {
    this.#silent = true;
    this.#unread = [];
    this.#waiting = 0;
  }

  /** Something was read, or nobody reads. */
  protected abstract flowChanged(): void;

  #deliver(): void {
    // A handler may detach, close or replace itself at each piece.
    while (this.#onData !== undefined && this.#unread.length > 0) {
      const bytes = this.#unread.shift()!;
      this.#waiting -= bytes.length;
      this.#onData(bytes);
    }
    if (this.#silent) return;
    this.flowChanged();
    this.#announceEnd();
  }

  #announceEnd(): void {
    if (this.#silent || this.#endReason === undefined || this.#onClose === undefined) return;
    if (this.#unread.length > 0) return;
    this.#silent = true;
    this.#onClose(this.#endReason);
  }
}
