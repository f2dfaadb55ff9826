/** `npm start`: from a bare clone to a running machine. */
import { checkNode, ensurePackages, importTypeScript } from "./project.mjs";

checkNode();
ensurePackages();
const { start } = await importTypeScript("scripts/start.ts");
process.exit(await start(process.argv.slice(2)));
