/**
 * The field under the machine's screen that has the focus: input methods, phones' keyboards, dictation, pasting and automation give their text
 * to a field only, not as keys.
 */

/** What a text field does for the guest. */
export interface TypedInput {
  type(text: string): void;
  /** A key by its code, for what a field tells as an edit. */
  tap(code: string): void;
}

/** Edits (InputEvent.inputType) that are a key of a keyboard. */
const KEY_OF_EDIT: Readonly<Record<string, string>> = {
  insertLineBreak: "Enter",
  insertParagraph: "Enter",
  deleteContentBackward: "Backspace",
  deleteContentForward: "Delete",
};

/** Something to delete: an empty field has phones' keyboards say nothing of Backspace. */
const FILLING = "\u00a0\u00a0";

/** Watches a field for text that comes without keys. Owner disposes. */
export class TextField implements Disposable {
  readonly #field: HTMLTextAreaElement;
  readonly #input: () => TypedInput | undefined;
  readonly #listening = new AbortController();
  #composing = false;

  /** `input` is asked at every text; undefined: the text is dropped. */
  constructor(field: HTMLTextAreaElement, input: () => TypedInput | undefined) {
    this.#field = field;
    this.#input = input;
    const { signal } = this.#listening;
    field.addEventListener("input", (event) => this.#edited(event as InputEvent), { signal });
    field.addEventListener("compositionstart", () => (this.#composing = true), { signal });
    field.addEventListener("compositionend", ({ data }) => this.#composed(data), { signal });
    field.addEventListener("paste", (event) => this.#pasted(event), { signal });
    for (const type of ["copy", "cut", "drop", "dragover"])
      field.addEventListener(type, (event) => event.preventDefault(), { signal });
    this.#clear();
  }

  [Symbol.dispose](): void {
    this.#listening.abort();
  }

  #edited({ inputType, data }: InputEvent): void {
    // What is being composed may still change; its end tells what it became.
    if (this.#composing) return;
    const input = this.#input();
    if (Object.hasOwn(KEY_OF_EDIT, inputType)) input?.tap(KEY_OF_EDIT[inputType]);
    else if (data !== null && data !== undefined) input?.type(data);
    this.#clear();
  }

  #composed(text: string): void {
    this.#composing = false;
    this.#input()?.type(text);
    // Some browsers tell the same text once more as an edit, and some insert it behind this event.
    queueMicrotask(() => this.#clear());
  }

  #pasted(event: ClipboardEvent): void {
    event.preventDefault();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text !== "") this.#input()?.type(text);
  }

  #clear(): void {
    this.#field.value = FILLING;
    this.#field.setSelectionRange(FILLING.length, FILLING.length);
  }
}
