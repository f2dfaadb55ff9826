import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import type { Page } from "@playwright/test";
import { root } from "./host.ts";
import type { Picture } from "./ppm.ts";

const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html", ".css": "text/css" };

/** A page of another origin with the unmodified client from npm. */
export async function serveHtml5Client(): Promise<{ url: string; close: () => void }> {
  const base = join(root, "node_modules/@spice-project/spice-html5");
  const page = `<!doctype html><div id="spice-area"><div id="spice-screen" class="spice-screen"></div></div><div id="message-div"></div>
    <script type="module">
      import { SpiceMainConn } from "/src/main.js";
      const uri = new URLSearchParams(location.search).get("uri");
      window.failure = undefined;
      window.sc = new SpiceMainConn({ uri, screen_id: "spice-screen", message_id: "message-div", password: "",
        onerror: (error) => { window.failure = String(error && error.message || error); } });
    </script>`;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/") {
      response.setHeader("Content-Type", "text/html").end(page);
      return;
    }
    readFile(join(base, normalize(path))).then(
      (bytes) =>
        response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream").end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** What the client's canvas shows. */
export async function html5Picture(page: Page): Promise<Picture> {
  const { width, height, rgba } = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#spice-screen canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, rgba: Array.from(data) };
  });
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    rgb[i * 3] = rgba[i * 4];
    rgb[i * 3 + 1] = rgba[i * 4 + 1];
    rgb[i * 3 + 2] = rgba[i * 4 + 2];
  }
  return { width, height, rgb };
}
