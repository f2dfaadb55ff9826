import { expect, test } from "vitest";
import { ALLOWANCE_NAMES, allowOption } from "../guest/allowances.ts";
import { HELP, parseCliOptions } from "../src/relay/cli-options.ts";

test("every exception that the guest's builder names in a message is an option of npm start", () => {
  const options = ALLOWANCE_NAMES.map(allowOption);
  expect(parseCliOptions(options).guestAllowances.toSorted()).toEqual(ALLOWANCE_NAMES.toSorted());
  for (const option of options) expect(HELP).toContain(option);
  expect(parseCliOptions([]).guestAllowances).toEqual([]);
});
