/** One paragraph of a control file (deb822): field name to value, continuation lines joined by newlines. */
export type Paragraph = Map<string, string>;

/**
 * Splits a deb822 text (Packages, Release, *.sources) into its paragraphs.
 * @param wanted keep only these fields: a Packages index has 65 000 paragraphs, most of their text unused.
 */
export function parseParagraphs(text: string, wanted?: ReadonlySet<string>): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let current: Paragraph = new Map();
  let field = "";
  const flush = () => {
    if (current.size > 0) paragraphs.push(current);
    current = new Map();
    field = "";
  };
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    const line = text.slice(start, end);
    start = end + 1;
    if (line.trim() === "") flush();
    else if (line.startsWith("#")) continue;
    else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (field !== "") current.set(field, `${current.get(field) ?? ""}\n${line.trim()}`);
    } else {
      const colon = line.indexOf(":");
      const name = colon < 0 ? "" : line.slice(0, colon);
      field = wanted === undefined || wanted.has(name) ? name : "";
      if (field !== "") current.set(field, line.slice(colon + 1).trim());
    }
  }
  flush();
  return paragraphs;
}
