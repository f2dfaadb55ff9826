/**
 * Something a channel client still has to send. It is encoded only when its turn comes, so that what is dropped before costs
 * nothing.
 */
export interface PipeItem {
  /** Bytes that stay in memory because of this item; a pipe adds them up. */
  readonly bytes: number;
  /**
   * Writes the item's next message. True: there is more, call again as soon as the client can take it; anything else: done.
   */
  send(): boolean | void;
}

/** The queue of one channel client, oldest first. */
export class Pipe<Item extends PipeItem = PipeItem> {
  #items: Item[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Sum of the items' `bytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is added from now on is dropped at once. */
  close(): void {
    this.#closed = true;
  }

  add(item: Item): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#bytes += item.bytes;
  }

  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Takes the oldest item off. */
  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head++;
    this.#bytes -= item.bytes;
    // Half of the array is spent: move the rest to the front, so that the cost per item stays constant.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Drops all items and returns them, oldest first. */
  clear(): Item[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return items;
  }
}
