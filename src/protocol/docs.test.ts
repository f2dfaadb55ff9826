import path from "node:path";
import { expect, test } from "vitest";
import { protocolDocs } from "./docs.ts";

test("docs/protocol.md is what the schemas say (renew it with -u)", async () => {
  await expect(protocolDocs()).toMatchFileSnapshot(
    path.resolve(import.meta.dirname, "../../docs/protocol.md"),
  );
});
