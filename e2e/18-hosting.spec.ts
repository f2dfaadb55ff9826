import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, expect as expectNow, test, type Browser, type Page } from "@playwright/test";
import { linkError } from "../src/client/client.testing.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, LinkErr } from "../src/protocol/index.ts";
import { expectGraph } from "./support/graph.ts";
import { PageServer } from "./support/page-server.ts";

/** Each waits for what comes, however busy the machine is. */
const expect = expectNow.configure({ timeout: 60_000 });

let browser: Browser;

test.beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--host-resolver-rules=MAP evil.example 127.0.0.1",
    ],
  });
});
test.afterAll(() => browser.close());

/** A browser of its own: nothing of the others' storage. */
async function newBrowser(): Promise<Page> {
  const context = await browser.newContext();
  return context.newPage();
}

/** Who owns what is looked at before a browser goes. */
async function end(page: Page): Promise<void> {
  for (const one of page.context().pages()) await expectGraph(one);
  await page.context().close();
}

// A page that is just being loaded has nothing to tell.
const phase = (page: Page) => page.evaluate(() => window.spicetab.session.state.phase).catch(() => "none");
const relayState = (page: Page) =>
  page.evaluate(() => window.spicetab.session.state.join.relay).catch(() => "none");
const hosts = (page: Page) => expect.poll(() => relayState(page)).toBe("connected");

test("the printed address hosts; the secret leaves the address bar and stays with that browser", async () => {
  await using server = await PageServer.start();
  const page = await newBrowser();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(`${request.url()} ${request.headers().referer ?? ""}`));
  await page.goto(server.url);
  await hosts(page);
  expect(page.url()).toBe(server.origin);
  await page.reload();
  await hosts(page);
  expect(page.url()).toBe(server.origin);
  const second = await page.context().newPage();
  await second.goto(server.origin);
  await expect.poll(() => phase(second)).toBe("elsewhere");
  expect(requests.filter((request) => request.includes(server.relay.secret))).toEqual([]);
  expect(server.log.join()).not.toContain(server.relay.secret);
  await end(page);
});

test("a page whose server is not there yet loads itself when it is, and still has the secret", async () => {
  await using server = await PageServer.start();
  const page = await newBrowser();
  await page.route("**/config.json", (route) => route.abort());
  await page.goto(server.url);
  await expect.poll(() => phase(page)).toBe("failed");
  expect(page.url()).toBe(server.origin);
  await page.unrouteAll();
  await hosts(page);
  await end(page);
});

test("a page without the secret asks for it, by keyboard and screen reader too, and hosts nothing until it has it", async () => {
  await using server = await PageServer.start({ password: "open sesame" });
  const page = await newBrowser();
  await page.goto(server.origin);
  const field = page.getByRole("textbox", { name: "Address or secret" });
  // Password fields have no role of their own.
  const input = (await field.count()) > 0 ? field : page.getByLabel("Address or secret");
  await expect(input).toBeFocused();
  await expect(page.getByText("The terminal in which spicetab runs shows an address")).toBeVisible();
  // Whoever came to join is shown how.
  const file = await page.request.get(
    new URL((await page.getByRole("link", { name: "Connection file" }).getAttribute("href"))!, page.url())
      .href,
  );
  expect(await file.text()).toContain(`port=${server.relay.spice[0].port}`);
  expect(await file.text()).not.toContain("sesame");
  await page.keyboard.type("a-wrong-secret-of-some-length");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("does not take the secret");
  expect(server.relay.health.hosting).toBe(false);
  expect(await page.evaluate(() => window.spicetab.session.state.join.password)).toBe("");
  await input.fill(server.url);
  await page.keyboard.press("Enter");
  await hosts(page);
  expect(await page.evaluate(() => window.spicetab.session.state.join.password)).toBe("open sesame");
  await end(page);
});

test("a password that has ended lets nobody in; page and terminal say so, and until when one that has not", async () => {
  for (const [leftMs, words] of [
    [86_400_000, /until .*\d/],
    [-1, /ended .*\d.*: lets nobody in any more/],
  ] as const) {
    await using server = await PageServer.start({
      password: "open sesame",
      passwordValidUntil: Date.now() + leftMs,
    });
    const page = await newBrowser();
    await page.goto(server.url);
    await hosts(page);
    await expect(page.getByText(words)).toBeVisible();
    const transport = await dialTcp(server.relay.spice[0].port);
    const error = await linkError(transport, { channelType: ChannelType.Main, password: "open sesame" });
    expect(error).toBe(leftMs > 0 ? LinkErr.Ok : LinkErr.PermissionDenied);
    if (leftMs < 0) {
      await expect(page.getByText("the password's time is over")).toBeVisible();
      await expect.poll(() => server.log.join("\n")).toContain("not let in: the password's time is over");
    }
    transport.socket.destroy();
    await end(page);
  }
});

test("a page that another site sends a browser to hosts nothing, with a wrong secret as without one", async () => {
  await using server = await PageServer.start();
  const person = await newBrowser();
  await person.goto(server.url);
  await hosts(person);
  const evil = createServer((request, response) => {
    const fragment = request.url === "/wrong" ? "#secret=a-wrong-secret-of-some-length" : "";
    response.setHeader("Content-Type", "text/html");
    response.end(`<meta http-equiv=refresh content="0;url=${server.origin}${fragment}">hello`);
  }).listen(0, "127.0.0.1");
  await once(evil, "listening");
  const { port } = evil.address() as AddressInfo;
  const visitor = await newBrowser();
  for (const path of ["/", "/wrong"]) {
    await visitor.goto(`http://evil.example:${port}${path}`);
    await visitor.waitForURL(server.origin);
    await expect.poll(() => phase(visitor)).toBe("locked");
    expect(server.relay.health).toMatchObject({ hosting: true, waitingHosts: 0 });
    expect(await relayState(person)).toBe("connected");
  }
  // The person's own browser, sent here with a wrong secret, goes on with the right one.
  const own = await person.context().newPage();
  await own.goto(`http://evil.example:${port}/wrong`);
  await own.waitForURL(server.origin);
  await expect.poll(() => phase(own)).toBe("elsewhere");
  evil.close();
  await end(visitor);
  await end(person);
});

test("a second browser with the secret waits, hosts when its person says so, and the first comes back by itself", async () => {
  await using server = await PageServer.start();
  const [first, second] = [await newBrowser(), await newBrowser()];
  await first.goto(server.url);
  await hosts(first);
  await second.goto(server.url);
  await expect(second.getByRole("alert").getByText("Another browser hosts already")).toBeVisible();
  expect(await relayState(first)).toBe("connected");
  await second.getByRole("button", { name: "Host here instead" }).click();
  await hosts(second);
  await expect(second.getByText("Another browser hosts already")).toBeHidden();
  await expect(first.getByRole("alert").getByText("Another browser took over hosting")).toBeVisible();
  await end(second);
  await expect.poll(() => relayState(first)).toBe("connected");
  await expect(first.getByText("Another browser took over hosting")).toBeHidden();
  await end(first);
});

test("a server that was started anew is hosted by the page that gets its new address, beside a machine that goes on", async () => {
  let server = await PageServer.start();
  const httpPort = server.web.port;
  const page = await newBrowser();
  await page.goto(server.url);
  await hosts(page);
  await server[Symbol.asyncDispose]();
  await expect(page.getByText(/^Nobody can join now: the relay .*\. Trying again …$/)).toBeVisible();
  server = await PageServer.start({ httpPort });
  await using _ = server;
  await expect(page.getByRole("alert").getByText("does not take the secret")).toBeVisible({
    timeout: 60_000,
  });
  await expect(page.getByText("The relay does not take this page's secret.")).toBeVisible();
  // Whoever comes now is told at once that nobody hosts.
  const transport = await dialTcp(server.relay.spice[0].port);
  expect(await linkError(transport, { channelType: ChannelType.Main })).not.toBe(LinkErr.Ok);
  transport.socket.destroy();
  // Pasted into the address bar of the same tab: only the fragment changes, nothing is loaded again.
  await page.evaluate((url) => (location.href = url), server.url);
  await hosts(page);
  expect(page.url()).toBe(server.origin);
  await expect(page.getByText("does not take the secret")).toBeHidden();
  await end(page);
});
