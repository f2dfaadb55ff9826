import type { Point, RedCommand, RedCursorCmd, RedCursorShape } from "../protocol/red-command.ts";
import type { QxlSink } from "./bus.ts";

/** A shape that owns its bytes: JSON-able but for `unique`. */
export interface KeptShape {
  readonly shape: Omit<RedCursorShape, "data">;
  readonly bytes: Uint8Array;
}

/** What the cursor is now, kept for a new red worker and for saved states. */
export class CursorState {
  shape: KeptShape | undefined;
  position: Point = { x: 0, y: 0 };
  visible = false;

  reset(): void {
    this.shape = undefined;
    this.position = { x: 0, y: 0 };
    this.visible = false;
  }

  /** @param data what the command's span points into */
  apply(command: RedCursorCmd, data: Uint8Array): void {
    switch (command.type) {
      case "cursorSet": {
        const { data: span, ...shape } = command.shape;
        this.shape = { shape, bytes: data.slice(span.offset, span.offset + span.length) };
        this.position = command.position;
        this.visible = command.visible;
        return;
      }
      case "cursorMove":
        // A move shows the cursor, as in spice-server's cursor channel.
        this.position = command.position;
        this.visible = true;
        return;
      case "cursorHide":
        this.visible = false;
        return;
      case "cursorReset":
        this.reset();
        return;
      case "cursorTrail":
    }
  }

  /** The command that brings another cursor into this state; undefined when there is no shape. */
  command(sink: QxlSink): RedCommand | undefined {
    if (this.shape === undefined) return undefined;
    const shape = { ...this.shape.shape, data: sink.span(this.shape.bytes) };
    return { type: "cursorSet", position: this.position, visible: this.visible, shape };
  }
}
