import { expect, test } from "vitest";
import { awaitServer } from "./await-server.ts";

test("asks again until the server says that it is well", async () => {
  const answers = [new TypeError("refused"), { ok: false }, { ok: true }, { ok: true }];
  const asked: string[] = [];
  let pauses = 0;
  await awaitServer({
    url: "http://127.0.0.1/vm/healthz",
    pause: async () => void pauses++,
    fetch: async (url) => {
      asked.push(url);
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "http://127.0.0.1/vm/healthz"));
  expect(pauses, "one before each question").toBe(3);
  expect(answers).toHaveLength(1);
});
