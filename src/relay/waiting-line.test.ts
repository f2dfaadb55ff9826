import { expect, test } from "vitest";
import { WaitingLine } from "./waiting-line.ts";

const waiter = (name: string, address = "192.0.2.1") => ({ name, address });

test("addresses have their turns one after the other, and within one the oldest and the newest", () => {
  const line = new WaitingLine<ReturnType<typeof waiter>>();
  for (const name of ["1", "2", "3", "4"]) line.add(waiter(name));
  line.add(waiter("other", "192.0.2.2"));
  expect(line.size).toBe(5);
  const order = Array.from({ length: 6 }, () => line.take()?.name);
  expect(order).toEqual(["1", "other", "4", "2", "3", undefined]);
  expect(line.size).toBe(0);
});

test("when there is no room any one goes from the address that has most, and nobody from another", () => {
  let chance = 0;
  const line = new WaitingLine<ReturnType<typeof waiter>>(() => chance);
  const crowd = ["1", "2", "3"].map((name) => waiter(name));
  const alone = waiter("alone", "192.0.2.2");
  for (const one of [alone, ...crowd]) line.add(one);
  const gone = [0, 0.4, 0.99].map((value) => {
    chance = value;
    return line.victim()?.name;
  });
  expect(gone).toEqual(["1", "2", "3"]);
  for (const one of [...crowd, ...crowd]) line.delete(one);
  expect(line.size).toBe(1);
  expect(line.victim()).toBe(alone);
});
