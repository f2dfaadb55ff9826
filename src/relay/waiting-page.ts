/**
 * What is answered while the page and the guest are still being built: a page that says how far that is and loads the real one by
 * itself once it is there, in the same tab and with the same fragment. Other programs get a 503 with a plain sentence.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { WAITING_POLL_MS } from "./limits.ts";

/** Paths, relative to the page, which only exist while everybody waits. */
const SCRIPT = "waiting.js";
const STATUS = "waiting.json";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <meta name="color-scheme" content="light dark" />
    <title>spicetab is being prepared</title>
    <script type="module" src="${SCRIPT}"></script>
  </head>
  <body>
    <main>
      <h1>spicetab is being prepared</h1>
      <p role="status" id="status">This page goes on by itself as soon as the machine can be loaded.</p>
      <noscript><p>Without JavaScript this page cannot host the machine.</p></noscript>
    </main>
  </body>
</html>
`;

/** Asks until the status is gone, which means that the real page is there. */
const WAIT = `const status = document.querySelector("#status");
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, ${WAITING_POLL_MS}));
  try {
    const answer = await fetch("${STATUS}", { cache: "no-store" });
    if (answer.status !== 503) break;
    const { progress } = await answer.json();
    const words = "This page goes on by itself. Now: " + progress;
    if (progress !== "" && status.textContent !== words) status.textContent = words;
  } catch {
    const words = "The server does not answer. This page goes on by itself once it does.";
    if (status.textContent !== words) status.textContent = words;
  }
}
location.reload();
`;

/** Answers any request of someone who came too early. `progress`: a few words for people, or nothing. */
export function answerWaiting(request: IncomingMessage, response: ServerResponse, progress: string): void {
  const path = URL.parse(request.url ?? "/", "http://relay")?.pathname ?? "/";
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Retry-After", "5");
  const answer = (status: number, type: string, body: string) => {
    response.writeHead(status, {
      "Content-Type": `${type}; charset=utf-8`,
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (path.endsWith(`/${SCRIPT}`)) answer(200, "text/javascript", WAIT);
  else if (path.endsWith(`/${STATUS}`)) answer(503, "application/json", JSON.stringify({ progress }));
  else if (request.headers.accept?.includes("text/html")) answer(503, "text/html", PAGE);
  else {
    const words = "spicetab is still being prepared; see the terminal in which it was started.\n";
    answer(503, "text/plain", words);
  }
}
