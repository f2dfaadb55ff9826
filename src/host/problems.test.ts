import { expect, test } from "vitest";
import { ERRORS } from "../errors/index.ts";
import { guestProblem, saveProblem } from "./problems.ts";

test("what is said of a machine that could not start is chosen by the error's code, whatever its words", () => {
  const titles = {
    GUEST_FILES: "The guest could not be loaded",
    STATE_BUSY: "Another page still has the machine",
    OUT_OF_MEMORY: "There is too little memory for the machine",
  } as const;
  for (const code of ["GUEST_FILES", "STATE_BUSY", "OUT_OF_MEMORY"] as const) {
    const detail = "a sentence of tomorrow";
    expect(guestProblem({ code, message: detail })).toEqual({
      title: titles[code],
      detail,
      remedy: ERRORS[code].remedy,
    });
  }
  const other = { code: "UNEXPECTED", message: "guest file: out of memory, in use by another page" } as const;
  expect(guestProblem(other).title).toBe("The machine stopped");
});

test("a save that found no room says how to make some", () => {
  expect(saveProblem({ code: "STORAGE_FULL", message: "x" }).remedy).toBe(ERRORS.STORAGE_FULL.remedy);
  expect(saveProblem({ code: "UNEXPECTED", message: "no room left" }).remedy).toMatch(/Try again/);
});
