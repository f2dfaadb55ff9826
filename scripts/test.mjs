/**
 * `npm test`: everything, on a clean clone. Goes on after a failed stage where that makes sense, and ends with one line
 * of counts.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkNode, ensurePackages, importTypeScript, root } from "./project.mjs";

/** The stock clients and what shows them, by the program that proves each is there. */
const DEBIAN_PACKAGES = {
  chromium: "/usr/bin/chromium",
  "firefox-esr": "/usr/bin/firefox-esr",
  "spice-client-gtk": "/usr/bin/spicy-screenshot",
  "virt-viewer": "/usr/bin/remote-viewer",
  xvfb: "/usr/bin/Xvfb",
  xauth: "/usr/bin/xauth",
  xdotool: "/usr/bin/xdotool",
  scrot: "/usr/bin/scrot",
  imagemagick: "/usr/bin/import",
  "x11-utils": "/usr/bin/xwininfo",
  // Reverse proxies in front of the page, and what makes their certificate.
  "nginx-light": "/usr/sbin/nginx",
  caddy: "/usr/bin/caddy",
  openssl: "/usr/bin/openssl",
  // GLib itself, which reads the connection files that we write.
  "python3-gi": "/usr/lib/python3/dist-packages/gi/__init__.py",
  "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
};

checkNode();
ensurePackages();
const { installDebianPackages } = await importTypeScript("scripts/debian-packages.ts");

const results = mkdtempSync(join(tmpdir(), "spicetab-test-"));
const totals = { passed: 0, failed: 0, skipped: 0 };
const bin = (name) => join(root, "node_modules/.bin", name);

stage("lint", bin("oxlint"), ["--deny-warnings"]);
stage("format", bin("oxfmt"), ["--check"]);
stage("types", bin("tsc"), ["--build"]);
const built = stage("build", process.execPath, ["scripts/run.mjs", "build"]);
const clients = ensureClients();
const vitest = (...args) => ["run", "--reporter=default", "--reporter=json", ...args];
suite("unit tests", bin("vitest"), vitest("--exclude", "**/*.boot.test.ts"), countVitest);
const guest = stage("guest", process.execPath, ["scripts/run.mjs", "guest"]);
// The machine with the real guest, without a browser.
if (guest) suite("boot tests", bin("vitest"), vitest(".boot.test"), countVitest, { SPICETAB_BOOT: "1" });
if (built && guest && clients && existsSync(join(root, "e2e"))) {
  suite("journeys", bin("playwright"), ["test"], countPlaywright);
} else {
  say("journeys: not run, since what they need is missing (see above)");
  totals.failed++;
}
rmSync(results, { recursive: true, force: true });

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exit(totals.failed > 0 ? 1 : 0);

function say(words) {
  process.stdout.write(`\n== ${words}\n`);
}

/** Runs one program whose success is all there is to know: a failure counts as one failed test. */
function stage(name, program, args) {
  say(name);
  const ok = run(program, args);
  if (!ok) {
    totals.failed++;
    process.stdout.write(`== ${name} failed\n`);
  }
  return ok;
}

/** Runs a test runner and adds what its JSON report counted. */
function suite(name, program, args, count, environment = {}) {
  say(name);
  const report = join(results, `${name.replace(" ", "-")}.json`);
  const reporting = program.endsWith("vitest") ? [`--outputFile.json=${report}`] : [];
  const ok = run(program, [...args, ...reporting], {
    SPICETAB_E2E_JSON: report,
    ...environment,
  });
  const counts = existsSync(report) ? count(JSON.parse(readFileSync(report, "utf8"))) : undefined;
  totals.passed += counts?.passed ?? 0;
  totals.skipped += counts?.skipped ?? 0;
  // A runner may fail without a failed test: a file that does not load, an error outside of any test.
  totals.failed += Math.max(counts?.failed ?? 0, ok ? 0 : 1);
}

function countVitest(report) {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

function countPlaywright({ stats }) {
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
}

/** Installs the Debian packages that are missing, if we may. */
function ensureClients() {
  const missing = Object.keys(DEBIAN_PACKAGES).filter((name) => !existsSync(DEBIAN_PACKAGES[name]));
  if (missing.length === 0) return true;
  if (installDebianPackages(missing, say)) return true;
  process.stdout.write(
    `The journeys need these Debian packages, which could not be installed from here:\n` +
      `  sudo apt-get install ${missing.join(" ")}\n`,
  );
  return false;
}

function run(program, args, environment = {}) {
  const done = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  if (done.error !== undefined) process.stdout.write(`${program}: ${done.error.message}\n`);
  return done.status === 0;
}
