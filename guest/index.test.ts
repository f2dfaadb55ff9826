import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PrivateKey } from "openpgp";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Allowance } from "./allowances.ts";
import {
  archiveKey,
  clearSign,
  deb,
  packagesFile,
  poolPath,
  releaseText,
  TestMirror,
  type TestPackage,
} from "./archive/archive.testing.ts";
import { sha256 } from "./files.ts";
import { type BuilderSetup, buildGuest, type GuestManifest, updateLock } from "./index.ts";
import { bzImage } from "./kernel/kernel.testing.ts";
import type { LevelRecipe } from "./levels.ts";

/*
 * The whole builder against a mirror on loopback: real HTTP, keys made here, a kernel of 24 bytes. What the mirror
 * serves is honest or not; what counts is what lands in the guest.
 */

const DAY_MS = 86_400_000;
const MADE = Date.UTC(2026, 6, 11, 10, 16, 37);
const NOW = MADE + 3 * DAY_MS;
const KERNEL = "linux-image-6.1.0-50-686-unsigned";
const HONEST = "honest program";

const RECIPE: LevelRecipe = {
  roots: ["linux-image-6.1.0-*-686-unsigned", "seabios", "tool"],
  excludes: [],
  seeds: ["usr/bin/tool", "usr/bin/helper"],
  drops: [],
  modules: [],
  overlays: ["base"],
  memoryMiB: 64,
};

let folder: string;
let key: PrivateKey;
let setup: BuilderSetup;
let packages: TestPackage[];
let notes: string[] = [];
const mirror = new TestMirror();

async function testPackages(version: string, program: string): Promise<TestPackage[]> {
  const kernel = { "boot/vmlinuz-6": bzImage(), "usr/lib/modules/6/modules.builtin": "" };
  const bios = { "usr/share/seabios/bios.bin": "bios", "usr/share/seabios/vgabios-qxl.bin": "vga" };
  return [
    { name: KERNEL, version: "6.1.50-1", deb: await deb(kernel) },
    { name: "seabios", version: "1.16-1", deb: await deb(bios) },
    { name: "tool", version, depends: "helper (>= 1)", deb: await deb({ "usr/bin/tool": program }) },
    { name: "helper", version: "1", deb: await deb({ "usr/bin/helper": "helper" }) },
  ];
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "builder-"));
  await mkdir(join(folder, "builder/overlay/base"), { recursive: true });
  await writeFile(join(folder, "builder/overlay/base/init"), "#!/usr/bin/tool\n");
  const archive = await archiveKey("Archive", { date: new Date(MADE - DAY_MS) });
  key = archive.privateKey;
  await writeFile(join(folder, "keyring.gpg"), archive.keyring);
  setup = {
    folder: join(folder, "builder"),
    recipes: { console: RECIPE, desktop: RECIPE },
    keyrings: [join(folder, "keyring.gpg")],
    now: () => NOW,
  };
  await mirror.open();
  mirror.files.clear();
  packages = await testPackages("1.0", HONEST);
  await publish(packages);
  await lock();
  mirror.requests.length = 0;
  notes = [];
});

afterEach(async () => {
  await mirror.close();
  await rm(folder, { recursive: true });
});

/** Puts a consistent archive up: the main suite with these packages, an empty security suite. */
async function publish(entries: TestPackage[], dateMs = MADE): Promise<void> {
  await mirror.publish("/debian", "bookworm", entries, key, dateMs);
  await mirror.publish("/debian-security", "bookworm-security", [], key, MADE + DAY_MS, MADE + 8 * DAY_MS);
}

const options = (allow: Allowance[]) => ({
  mirror: `${mirror.origin}/debian`,
  cacheDir: join(folder, "cache"),
  allow,
  onProgress: () => {},
  onNote: (text: string) => notes.push(text),
});

const lock = (...allow: Allowance[]) => updateLock(options(allow), setup);
const build = (...allow: Allowance[]): Promise<GuestManifest> =>
  buildGuest({ ...options(allow), level: "console", outDir: join(folder, "out") }, setup);
const initrd = () => readFile(join(folder, "out/console/initrd.cpio"), "latin1");
const readLockText = () => readFile(join(setup.folder, "packages.lock.json"), "utf8");
const emptyCache = () => rm(join(folder, "cache"), { recursive: true, force: true });

/** Nothing was built: neither a guest nor a part of one lies there. */
async function expectNothingBuilt(): Promise<void> {
  expect(await readdir(join(folder, "out")).catch(() => [])).toEqual([]);
}

const evil = async (version = "1.0"): Promise<TestPackage[]> => testPackages(version, "OWNED BY MIRROR");
const toolPath = () => `/debian/${poolPath(packages[2])}`;

test("a build takes the pinned files by their pool path alone: no index, no word", async () => {
  const manifest = await build();
  expect(manifest.packages.map(({ name }) => name)).toEqual(["helper", KERNEL, "seabios", "tool"]);
  expect(await initrd()).toContain(HONEST);
  expect(mirror.requests.toSorted()).toEqual(
    packages.map((entry) => `/debian/${poolPath(entry)}`).toSorted(),
  );
  expect(notes).toEqual([]);
  expect(manifest.exceptions).toEqual([]);
});

test("what is built, or fetched, is not fetched again, and needs no mirror", async () => {
  const first = await build();
  mirror.files.clear();
  mirror.requests.length = 0;
  expect(await build()).toEqual(first);
  await rm(join(folder, "out"), { recursive: true });
  expect((await build()).buildId).toBe(first.buildId);
  expect(mirror.requests).toEqual([]);
});

test("a mirror with an inconsistent or missing index does not matter to a build", async () => {
  for (const path of [...mirror.files.keys()].filter((name) => name.includes("/dists/")))
    mirror.files.set(path, Buffer.from("nonsense"));
  await build();
  expect(notes).toEqual([]);
});

test("a forged index with a forged package behind a genuine signature builds nothing", async () => {
  // Debian's own InRelease, with text behind its signature and a blank in its empty line, as `signature.test.ts` has it.
  const forged = await evil("2.0");
  const index = packagesFile(forged);
  const { packed } = releaseText("bookworm", index, MADE);
  const release = "/debian/dists/bookworm/InRelease";
  const genuine = Buffer.from(mirror.files.get(release) as Uint8Array).toString();
  const forgedText = `Codename: bookworm\nSHA256:\n ${sha256(packed)} ${packed.length} main/binary-i386/Packages.gz`;
  mirror.files.set(
    release,
    Buffer.from(
      `${genuine.replace(/^(.*\n(?:Hash: .*\n)+)\n/, "$1 \n")}${forgedText}\n-----BEGIN PGP SIGNATURE-----\n`,
    ),
  );
  mirror.files.set("/debian/dists/bookworm/main/binary-i386/Packages.gz", packed);
  for (const entry of forged) mirror.files.set(`/debian/${poolPath(entry)}`, entry.deb);
  mirror.files.delete(toolPath());

  await expect(build()).rejects.toMatchObject({ code: "package", allowedBy: "newer-packages" });
  await expect(build("newer-packages")).rejects.toMatchObject({ code: "signature" });
  // Not even with everything allowed.
  await expect(
    build("newer-packages", "missing-security", "stale-index", "missing-keyring"),
  ).rejects.toMatchObject({ code: "signature" });
  const before = await readLockText();
  await expect(lock()).rejects.toMatchObject({ code: "signature" });
  expect(await readLockText()).toBe(before);
  await expectNothingBuilt();
});

test("another file in the place of a pinned package builds nothing", async () => {
  mirror.files.set(toolPath(), (await evil())[2].deb);
  await expect(build()).rejects.toMatchObject({
    code: "download",
    packageName: "tool",
    message: expect.stringMatching(/tool 1.0.*instead of|tool 1.0.*SHA-256/) as string,
  });
  // An index that vouches for it changes nothing, whatever is allowed: the lock file does not.
  await publish(await evil());
  await expect(build("newer-packages", "stale-index")).rejects.toMatchObject({ code: "download" });
  await expectNothingBuilt();
});

test("a pinned package that has left the mirror stops the build, and says what can be done", async () => {
  await publish(await testPackages("1.1", "newer program"), MADE + DAY_MS);
  mirror.files.delete(toolPath());
  await expect(build()).rejects.toMatchObject({
    code: "package",
    packageName: "tool",
    allowedBy: "newer-packages",
    message: expect.stringMatching(
      /tool 1.0.*left the mirror.*--update-lock.*--allow-newer-packages/,
    ) as string,
  });
  await expectNothingBuilt();

  const manifest = await build("newer-packages");
  expect(await initrd()).toContain("newer program");
  expect(manifest.exceptions).toEqual(["newer-packages"]);
  expect(notes.join("\n")).toMatch(/tool 1.0/);
  // A guest that was built under an exception is not taken without it.
  await expect(build()).rejects.toMatchObject({ allowedBy: "newer-packages" });
  expect(await build("newer-packages")).toEqual(manifest);
});

test("a package of the security archive that has moved into the main one is found there, by its hash", async () => {
  const text = await readLockText();
  const moved = text
    .replace(
      /"archive":"main","filename":"pool\/main\/t/,
      '"archive":"security","filename":"pool/updates/main/t',
    )
    .replace('"archive":"main","filename":"pool/updates', '"archive":"security","filename":"pool/updates');
  expect(moved).not.toBe(text);
  await writeFile(join(setup.folder, "packages.lock.json"), moved);
  await build();
  expect(mirror.requests).toContain(
    `/debian-security/${poolPath(packages[2]).replace("pool/", "pool/updates/")}`,
  );
  expect(await initrd()).toContain(HONEST);
});

test("a package swapped in the cache, before or during a build, never gets into a guest", async () => {
  await build();
  const honest = await initrd();
  const cached = join(folder, "cache/packages", "tool_1.0_i386.deb");
  const swapped = (await evil())[2].deb;
  await rm(join(folder, "out"), { recursive: true });
  await writeFile(cached, swapped);
  await build();
  expect(await initrd()).toBe(honest);

  // Between the check and the use: everything is fetched and checked when the first package is unpacked.
  await rm(join(folder, "out"), { recursive: true });
  let swaps = 0;
  await buildGuest(
    {
      ...options([]),
      level: "console",
      outDir: join(folder, "out"),
      onProgress: ({ stage, done, total }) => {
        if (stage === "download" && done < total) return;
        for (const name of ["tool_1.0_i386.deb", "helper_1_i386.deb"])
          writeFileSync(join(folder, "cache/packages", name), swapped);
        swaps++;
      },
    },
    setup,
  );
  expect(swaps).toBeGreaterThan(1);
  expect(await initrd()).toBe(honest);
});

test("a built guest whose files have changed is built again", async () => {
  const { buildId } = await build();
  const honest = await initrd();
  const path = join(folder, "out/console/initrd.cpio");
  await writeFile(path, honest.replace(HONEST, "Honest program"), "latin1");
  expect((await build()).buildId).toBe(buildId);
  expect(await initrd()).toBe(honest);
  // Nor is a manifest believed that names files elsewhere.
  const manifest = join(folder, "out/console/manifest.json");
  await writeFile(manifest, (await readFile(manifest, "utf8")).replace('"bzimage"', '"../../keyring.gpg"'));
  expect((await build()).kernel.file).toBe("bzimage");
});

test("an endless or a broken package is given up", async () => {
  mirror.files.set(toolPath(), (_request, response) => {
    const piece = Buffer.alloc(64 << 10);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  await expect(build()).rejects.toMatchObject({
    code: "download",
    message: expect.stringMatching(/larger than/) as string,
  });
  mirror.files.set(toolPath(), (_request, response) => {
    response.writeHead(200, { "content-length": packages[2].deb.length });
    response.write(packages[2].deb.subarray(0, 10), () => response.destroy());
  });
  await expect(build()).rejects.toMatchObject({ code: "download", packageName: "tool" });
  await expectNothingBuilt();
});

test("a lock file that is missing, changed by hand or of another recipe stops the build", async () => {
  const path = join(setup.folder, "packages.lock.json");
  const text = await readLockText();
  for (const [what, changed] of Object.entries({
    "no JSON": "{",
    "the old format": text.replace('"format": 2', '"format": 1'),
    "a path that climbs": text.replace("pool/main/t/", "pool/../../t/"),
    "an address for a path": text.replace("pool/main/t/", "http://evil.example/"),
    "a short hash": text.replace(/"sha256":"[0-9a-f]{64}"/, '"sha256":"00"'),
    "a date that is none": text.replace(/"date":"2026-07-11/, '"date":"2026-02-31'),
    "a month that is none": text.replace(/"date":"2026-07-11/, '"date":"2026-77-11'),
    "an unknown field": text.replace('"format": 2', '"format": 2, "trust": "all"'),
    "a package twice": text.replace(/^( {4}\{"name":"tool".*\})$/m, "$1,\n$1"),
    "no size": text.replace(/"size":\d+,/, ""),
    "another recipe": text.replace(/"console":"[0-9a-f]{64}"/, `"console":"${"0".repeat(64)}"`),
  })) {
    expect(changed, what).not.toBe(text);
    await writeFile(path, changed);
    await expect(build(), what).rejects.toMatchObject({
      code: "lock",
      message: expect.stringContaining("--update-lock") as string,
    });
  }
  await rm(path);
  await expect(build()).rejects.toMatchObject({ code: "lock" });
  expect(mirror.requests).toEqual([]);
  await expectNothingBuilt();
});

test("an index older than the lock file's is a replay: refused, unless that is allowed", async () => {
  await publish(await testPackages("2.0", "newest"), MADE + 2 * DAY_MS);
  await lock();
  expect(await readLockText()).toContain(new Date(MADE + 2 * DAY_MS).toISOString());
  await publish(packages);
  const before = await readLockText();
  await expect(lock()).rejects.toMatchObject({
    code: "stale",
    allowedBy: "stale-index",
    message: expect.stringMatching(/of 2026-07-11.*older than.*2026-07-13.*--allow-stale-index/) as string,
  });
  expect(await readLockText()).toBe(before);
  await lock("stale-index");
  expect(await readLockText()).toContain('"version":"1.0"');
});

test("an expired index is refused, unless that is allowed", async () => {
  setup = { ...setup, now: () => MADE + 9 * DAY_MS };
  await expect(lock()).rejects.toMatchObject({
    code: "stale",
    message: expect.stringMatching(/bookworm-security.*expired on 2026-07-19.*--allow-stale-index/) as string,
  });
  await lock("stale-index");
  expect(notes.join("\n")).toMatch(/expired/);
});

test("a clock that is wrong is named as such, and no option goes around it", async () => {
  for (const now of [MADE - 30 * DAY_MS, 0]) {
    setup = { ...setup, now: () => now };
    await expect(lock("stale-index", "missing-security")).rejects.toMatchObject({
      code: "clock",
      message: expect.stringContaining("Set the clock") as string,
    });
  }
  // A build asks no clock.
  await build();
});

const SECURITY = "/debian-security/dists/bookworm-security";

test.each([
  ["a 404", () => mirror.files.delete(`${SECURITY}/InRelease`), /404/],
  ["a server that fails", () => mirror.files.set(`${SECURITY}/InRelease`, 500), /500/],
  [
    "an index that does not fit its InRelease",
    () => mirror.files.set(`${SECURITY}/main/binary-i386/Packages.gz`, Buffer.from("of another day")),
    /no index of bookworm-security that fits/,
  ],
] as const)(
  "%s of the security suite stops the lock's update, unless that is allowed",
  async (_what, harm, words) => {
    harm();
    await emptyCache();
    const before = await readLockText();
    await expect(lock()).rejects.toMatchObject({
      allowedBy: "missing-security",
      message: expect.stringMatching(words) as string,
    });
    expect(await readLockText()).toBe(before);
    await lock("missing-security");
    // The date of the suite that was left out stays: what is older stays refused.
    expect(await readLockText()).toContain(new Date(MADE + DAY_MS).toISOString());
  },
);

test("a security suite with a wrong signature is never left out", async () => {
  const stranger = await archiveKey("Stranger", { date: new Date(MADE - DAY_MS) });
  const { text } = releaseText("bookworm-security", Buffer.from(""), MADE + DAY_MS, MADE + 8 * DAY_MS);
  mirror.files.set(
    `${SECURITY}/InRelease`,
    Buffer.from(await clearSign(text, stranger.privateKey, new Date(MADE))),
  );
  await expect(lock("missing-security")).rejects.toMatchObject({ code: "signature" });
});

test("no keyring stops the lock's update, not a build", async () => {
  setup = { ...setup, keyrings: [join(folder, "absent.gpg")] };
  await expect(lock()).rejects.toMatchObject({ code: "signature", allowedBy: "missing-keyring" });
  await build();
  await lock("missing-keyring");
  expect(notes.join("\n")).toMatch(/no Debian archive keyring/);
});

test("a lock file is made again to the byte", async () => {
  const before = await readLockText();
  await lock();
  expect(await readLockText()).toBe(before);
});
