/** Dead keys, by X11's names without `dead_`, and the combining character that each stands for in the layouts. */
export const deadMarks: Readonly<Record<string, string>> = {
  grave: "\u0300",
  acute: "\u0301",
  circumflex: "\u0302",
  tilde: "\u0303",
  macron: "\u0304",
  breve: "\u0306",
  abovedot: "\u0307",
  diaeresis: "\u0308",
  abovering: "\u030a",
  doubleacute: "\u030b",
  caron: "\u030c",
  cedilla: "\u0327",
  ogonek: "\u0328",
};

/** What a dead key types with the space bar: the accent by itself. */
export const spacingAccents: Readonly<Record<string, string>> = {
  "\u0300": "`",
  "\u0301": "´",
  "\u0302": "^",
  "\u0303": "~",
  "\u0304": "¯",
  "\u0306": "˘",
  "\u0307": "˙",
  "\u0308": "¨",
  "\u030a": "°",
  "\u030b": "˝",
  "\u030c": "ˇ",
  "\u0327": "¸",
  "\u0328": "˛",
};

const MARKS = new Set(Object.values(deadMarks));

/** Whether a layout's level is a dead key. */
export const isDead = (character: string): boolean => MARKS.has(character);
