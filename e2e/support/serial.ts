import { eventually } from "../../src/waiting.testing.ts";
import type { HostTab } from "./host.ts";

/** Runs a command in the root shell on the guest's serial port; gives what it printed. */
export async function serial(tab: HostTab, command: string, timeoutMs = 120_000): Promise<string> {
  const id = Math.random().toString(36).slice(2, 8);
  // The shell echoes the line: the marks are put together only when it runs.
  const text = `echo "BE""GIN${id}"; ${command}; echo "E""ND${id}"\n`;
  await tab.page.evaluate(
    (line) => window.spicetab.session.threads!.guest.call("serialSend", { text: line }),
    text,
  );
  const answer = async () => {
    const bytes = await tab.page.evaluate(() => window.spicetab.session.serialLog());
    const log = Buffer.from(bytes, "latin1").toString("utf8").replaceAll("\r", "");
    const [from, to] = [log.indexOf(`BEGIN${id}\n`), log.indexOf(`END${id}\n`)];
    if (from < 0 || to < 0) return undefined;
    return { text: log.slice(from + `BEGIN${id}\n`.length, to).trimEnd() };
  };
  return (await eventually(answer, `the guest's answer to ${command}`, timeoutMs)).text;
}
