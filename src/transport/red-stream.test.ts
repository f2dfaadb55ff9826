import { describe } from "vitest";
import { streamCompliance } from "./compliance.testing.ts";
import { createRedStreamPair } from "./red-stream.ts";

describe("RedStream over a MessageChannel", () => {
  streamCompliance(() => {
    const [a, b] = createRedStreamPair();
    return { a, b };
  });
});
