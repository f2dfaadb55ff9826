import { expect, test } from "vitest";
import { ThreadQuestion } from "./thread-question.ts";

/** A thread that answers when it is told to, and a clock that stands where it is put. */
function asked() {
  const answers: { answer: (words: string) => void; fail: () => void }[] = [];
  const pauses: (() => void)[] = [];
  const clock = { now: 1_000 };
  const question = new ThreadQuestion<string>(
    () => new Promise((answer, reject) => answers.push({ answer, fail: () => reject(new Error("gone")) })),
    () => clock.now,
    () => new Promise<void>((resolve) => pauses.push(resolve)),
  );
  return { answers, pauses, clock, question };
}

test("what a thread says is passed on", async () => {
  const { answers, question } = asked();
  const reply = question.within(500);
  answers[0].answer("here");
  expect(await reply).toEqual({ part: "here" });
});

test("one that hangs is silent since it was asked first, gets no second question, and is heard when it answers", async () => {
  const { answers, pauses, clock, question } = asked();
  const first = question.within(500);
  pauses[0]();
  expect(await first).toEqual({ silentSince: 1_000 });
  clock.now = 5_000;
  const second = question.within(500);
  pauses[1]();
  expect(await second).toEqual({ silentSince: 1_000 });
  expect(answers).toHaveLength(1);

  const third = question.within(500);
  answers[0].answer("late");
  expect(await third).toEqual({ part: "late" });
  clock.now = 9_000;
  const next = question.within(500);
  expect(answers).toHaveLength(2);
  pauses[3]();
  expect(await next).toEqual({ silentSince: 9_000 });
});

test("one that is gone is silent, for as long as asking it fails", async () => {
  const { answers, clock, question } = asked();
  const first = question.within(500);
  answers[0].fail();
  expect(await first).toEqual({ silentSince: 1_000 });
  clock.now = 2_000;
  const second = question.within(500);
  answers[1].fail();
  expect(await second).toEqual({ silentSince: 1_000 });
});
