/**
 * The desktop pictures that the codecs are measured on, as pages: what people have on a remote screen, from the
 * easiest to the hardest for a compressor. Rendered by the machine's own Chromium, so fonts vary a little from machine
 * to machine; ratios between codecs on one machine do not care.
 */
export interface Scene {
  readonly name: string;
  readonly html: string;
}

const words =
  "kernel module loaded channel display surface buffer guest memory ring command release cursor stream window packet " +
  "server client relay ticket monitor image cache region copy fill palette interrupt driver";
const vocabulary = words.split(" ");

/** Deterministic pseudo-random numbers (mulberry32): the same pictures each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function prose(seed: number, count: number): string {
  const next = random(seed);
  return Array.from({ length: count }, () => vocabulary[Math.floor(next() * vocabulary.length)]).join(" ");
}

function lines(seed: number, count: number, length: number): string {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => {
    const text = prose(seed + i * 7, 12).slice(0, Math.floor(length * (0.3 + 0.7 * next())));
    return `[${(i * 0.137).toFixed(6).padStart(12)}] ${text}`;
  }).join("\n");
}

const page = (style: string, body: string, script = "") =>
  `<!doctype html><meta charset="utf-8"><style>*{margin:0;box-sizing:border-box}html,body{width:1024px;height:768px;overflow:hidden}${style}</style>${body}<script>${script}</script>`;

/** Fractal hills, clouds and grain: the statistics of a photograph without anybody's photograph. */
const photoScript = (selector: string) => `
for (const canvas of document.querySelectorAll(${JSON.stringify(selector)})) {
  const w = canvas.width, h = canvas.height, context = canvas.getContext("2d"), image = context.createImageData(w, h);
  let seed = 99; const rnd = () => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed / 4294967296; };
  const size = 257, grid = new Float32Array(size * size); for (let i = 0; i < grid.length; i++) grid[i] = rnd();
  const at = (x, y) => { x = ((x % 256) + 256) % 256; y = ((y % 256) + 256) % 256; const i = x | 0, j = y | 0, u = x - i, v = y - j;
    const a = grid[j * size + i], b = grid[j * size + i + 1], c = grid[(j + 1) * size + i], d = grid[(j + 1) * size + i + 1];
    const s = u * u * (3 - 2 * u), t = v * v * (3 - 2 * v); return a + (b - a) * s + (c - a) * t + (a - b - c + d) * s * t; };
  const noise = (x, y) => { let sum = 0, amp = 0.5; for (let o = 0; o < 6; o++) { sum += at(x, y) * amp; x *= 2.03; y *= 2.03; amp /= 2; } return sum; };
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const hill = h * (0.45 + 0.35 * noise(x / w * 3, 7.3)), cloud = noise(x / w * 5, y / h * 6), rock = noise(x / w * 40, y / h * 40);
    let r, g, b; if (y < hill) { const k = Math.max(0, cloud - 0.4) * 2.2; r = 90 + 150 * k + y / h * 60; g = 140 + 100 * k + y / h * 40; b = 215 + 40 * k; }
    else { const k = rock * (0.6 + 0.4 * (y - hill) / h); r = 40 + 130 * k; g = 60 + 140 * k; b = 25 + 80 * k; }
    const grain = (rnd() + rnd() - 1) * 9, o = (y * w + x) * 4;
    image.data[o] = r + grain; image.data[o + 1] = g + grain; image.data[o + 2] = b + grain; image.data[o + 3] = 255; }
  context.putImageData(image, 0, 0); }`;

const windowBox = (left: number, top: number, width: number, height: number, title: string, body: string) =>
  `<div class="w" style="left:${left}px;top:${top}px;width:${width}px;height:${height}px"><div class="t">${title}</div>${body}</div>`;

const windowStyle =
  "body{background:#3a6ea5;font:13px 'DejaVu Sans',sans-serif}.w{position:absolute;background:#f4f4f4;border:1px solid #444;border-radius:6px 6px 0 0;overflow:hidden}" +
  ".t{background:#d8dee6;padding:6px 10px;font-weight:bold;border-bottom:1px solid #aaa}.b{padding:10px;line-height:1.5}button{font:inherit;padding:4px 12px;margin:6px}";

export const scenes: readonly Scene[] = [
  {
    name: "console",
    html: page(
      "body{background:#000;color:#aaa}canvas{display:block}",
      '<canvas width="1024" height="768"></canvas>',
      // A console has two colours exactly; text is drawn and then cut at a threshold.
      `const c = document.querySelector("canvas").getContext("2d", {willReadFrequently: true}); c.font = "14px 'DejaVu Sans Mono',monospace"; c.fillStyle = "#fff";
       ${JSON.stringify(lines(1, 48, 110).split("\n"))}.forEach((t, i) => c.fillText(t, 0, 13 + i * 16));
       const d = c.getImageData(0, 0, 1024, 768); for (let i = 0; i < d.data.length; i += 4) { const on = d.data[i + 3] > 110 ? 0xaa : 0; d.data[i] = d.data[i + 1] = d.data[i + 2] = on; d.data[i + 3] = 255; } c.putImageData(d, 0, 0);`,
    ),
  },
  {
    name: "terminal",
    html: page(
      "body{background:#1c1c24;color:#d8d8d8}pre{font:14px/17px 'DejaVu Sans Mono',monospace;padding:4px}b{color:#7ec97e}i{color:#e0b060;font-style:normal}",
      `<pre>${lines(2, 45, 105)
        .replace(/\[[^\]]*\]/g, (stamp) => `<b>${stamp}</b>`)
        .replace(/ring|cache|image/g, "<i>$&</i>")}</pre>`,
    ),
  },
  {
    name: "windows",
    html: page(
      windowStyle,
      windowBox(40, 30, 520, 380, "Files", `<div class="b">${prose(3, 190)}</div>`) +
        windowBox(
          300,
          210,
          600,
          420,
          "Editor",
          `<div class="b" style="background:#fff;height:340px">${prose(4, 240)}</div><button>Save</button><button>Close</button>`,
        ) +
        '<div style="position:absolute;bottom:0;width:100%;height:34px;background:#c8ccd2;padding:8px">Menu &nbsp; Files &nbsp; Editor <span style="float:right">12:45</span></div>',
    ),
  },
  {
    name: "gradients",
    html: page(
      "body{background:linear-gradient(160deg,#203a6b,#7f5fa8 55%,#e8a87c)}.c{position:absolute;border-radius:18px;box-shadow:0 18px 40px rgba(0,0,0,.45);background:linear-gradient(#fdfdfd,#cfd6e4)}",
      '<div class="c" style="left:90px;top:80px;width:420px;height:300px"></div><div class="c" style="left:420px;top:300px;width:480px;height:340px;background:radial-gradient(circle at 30% 30%,#fff,#6aa0d8 60%,#26466d)"></div>',
    ),
  },
  {
    name: "web",
    html: page(
      "body{background:#fff;font:15px/1.55 'DejaVu Serif',serif;padding:24px}h1{font-size:28px}canvas{float:right;margin:8px 0 8px 18px}p{margin:10px 0;color:#222}nav{background:#24425f;color:#fff;margin:-24px -24px 16px;padding:12px 24px}",
      `<nav>News &nbsp; Science &nbsp; Culture</nav><h1>${prose(5, 7)}</h1><canvas width="360" height="240"></canvas><p>${prose(6, 130)}</p><canvas width="300" height="200"></canvas><p>${prose(7, 150)}</p><p>${prose(8, 90)}</p>`,
      photoScript("canvas"),
    ),
  },
  {
    name: "photo",
    html: page("canvas{display:block}", '<canvas width="1024" height="768"></canvas>', photoScript("canvas")),
  },
];
