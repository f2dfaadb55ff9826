import { expect, test } from "vitest";
import { CellFlag, TextScreen } from "./text-renderer.ts";

const WHITE = 0xaaaaaa;
const BLUE = 0x0000aa;

/** A font whose character 1 is a diagonal from the left and whose character 0xc4 is a full line in row 1. */
const font = (): Uint8Array => {
  const plane = new Uint8Array(65536);
  for (let line = 0; line < 4; line++) plane[1 * 32 + line] = 0x80 >> line;
  plane[0xc4 * 32 + 1] = 0xff;
  plane[0x41 * 32] = 0x01;
  plane[(2 * 256 + 1) * 32] = 0xff;
  return plane;
};

const draw = (screen: TextScreen) => {
  const pixels = new Uint32Array(screen.width * screen.height);
  const rectangles = screen.render(pixels);
  const rows = Array.from({ length: screen.height }, (_, y) =>
    Array.from(pixels.subarray(y * screen.width, (y + 1) * screen.width), (pixel) =>
      pixel === WHITE ? "#" : ".",
    ).join(""),
  );
  return { pixels, rectangles, rows };
};

const makeScreen = (shape: Partial<Parameters<TextScreen["setFont"]>[0]> = {}) => {
  const screen = new TextScreen();
  screen.setFont(
    { height: 4, width9px: false, widthDouble: false, copy8thColumn: false, ...shape },
    font(),
    true,
  );
  screen.setSize(2, 1);
  return screen;
};

test("a cell is its glyph in its colours", () => {
  const screen = makeScreen();
  screen.putCharacter(0, 1, 1, 0, BLUE, WHITE);
  const { rows, pixels } = draw(screen);
  expect(rows).toEqual(["........#.......", ".........#......", "..........#.....", "...........#...."]);
  expect(pixels[9]).toBe(BLUE);
});

test("the ninth column repeats the eighth for line drawing characters only", () => {
  const screen = makeScreen({ width9px: true, copy8thColumn: true });
  screen.putCharacter(0, 0, 0xc4, 0, BLUE, WHITE);
  screen.putCharacter(0, 1, 0x41, 0, BLUE, WHITE);
  const { rows } = draw(screen);
  expect(rows[1]).toBe("#########.........");
  expect(rows[0]).toBe("................#.");
});

test("without the repeat the ninth column is background", () => {
  const screen = makeScreen({ width9px: true });
  screen.putCharacter(0, 0, 0xc4, 0, BLUE, WHITE);
  expect(draw(screen).rows[1].slice(0, 9)).toBe("########.");
});

test("double width shows every dot twice", () => {
  const screen = makeScreen({ widthDouble: true });
  screen.putCharacter(0, 0, 1, 0, BLUE, WHITE);
  expect(draw(screen).rows[1].slice(0, 16)).toBe("..##............");
});

test("the flag chooses the font page", () => {
  const screen = makeScreen();
  screen.setFontPages(0, 2);
  screen.putCharacter(0, 0, 1, CellFlag.fontPageB, BLUE, WHITE);
  screen.putCharacter(0, 1, 1, 0, BLUE, WHITE);
  expect(draw(screen).rows[0]).toBe("#########.......");
});

test("the cursor covers its scan lines, and leaves no trace when it moves", () => {
  const screen = makeScreen();
  screen.putCharacter(0, 0, 0, 0, BLUE, WHITE);
  screen.putCharacter(0, 1, 0, 0, BLUE, WHITE);
  screen.shapeCursor(2, 3, true);
  const pixels = new Uint32Array(screen.width * screen.height);
  screen.render(pixels);
  expect(pixels[2 * 16]).toBe(WHITE);
  screen.moveCursor(0, 1);
  expect(screen.render(pixels)).toEqual([{ top: 0, left: 0, bottom: 4, right: 16 }]);
  expect(pixels[2 * 16]).toBe(BLUE);
  expect(pixels[3 * 16 + 15]).toBe(WHITE);
  screen.shapeCursor(2, 3, false);
  screen.render(pixels);
  expect(pixels[3 * 16 + 15]).toBe(BLUE);
});

test("only changed cells are drawn, equal neighbouring rows as one rectangle", () => {
  const screen = makeScreen();
  screen.setSize(3, 3);
  draw(screen);
  screen.putCharacter(0, 1, 1, 0, BLUE, WHITE);
  screen.putCharacter(1, 1, 1, 0, BLUE, WHITE);
  screen.putCharacter(2, 0, 1, 0, BLUE, WHITE);
  expect(draw(screen).rectangles).toEqual([
    { top: 0, left: 8, bottom: 8, right: 16 },
    { top: 8, left: 0, bottom: 12, right: 8 },
  ]);
  screen.putCharacter(2, 0, 1, 0, BLUE, WHITE);
  expect(draw(screen).rectangles).toEqual([]);
});

test("cells outside the screen are ignored", () => {
  const screen = makeScreen();
  draw(screen);
  screen.putCharacter(1, 0, 1, 0, BLUE, WHITE);
  screen.putCharacter(0, 2, 1, 0, BLUE, WHITE);
  expect(draw(screen).rectangles).toEqual([]);
});
