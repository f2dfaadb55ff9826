import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

const description = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};

/** What npm itself would publish. */
const packed = (() => {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--offline", "--ignore-scripts"], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }] = JSON.parse(output.toString()) as [{ files: { path: string }[] }];
  return new Set(files.map(({ path }) => path));
})();

/** Modules that a file loads when it runs; types are gone by then. */
function imports(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8").replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm),
    ...text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g),
    ...text.matchAll(/new URL\(\s*"([^"]+)",\s*import\.meta\.url\s*\)/g),
    ...text.matchAll(/importTypeScript\("([^"]+)"\)/g),
  ].map(([, name]) => name);
  return path.endsWith(".mjs")
    ? found.map((name) => (name.startsWith("scripts/") ? `../${name}` : name))
    : found;
}

const programs = [...packed].filter((path) => /\.(ts|mjs)$/.test(path));

test("the package holds no tests, and all that runs", () => {
  expect(
    [...packed].filter((path) => /\.(test|testing)\.ts$|vectors\/|^(e2e|bench|dist|build)\//.test(path)),
  ).toEqual([]);
  for (const path of [
    "index.html",
    "vite.config.ts",
    "tsconfig.json",
    "tsconfig.base.json",
    "public/icon.svg",
    "scripts/start.mjs",
    "scripts/start.ts",
    "guest/index.ts",
    "guest/packages.lock.json",
    "guest/overlay/desktop/init",
    "guest/overlay/desktop/root/.config/xfe/xferc",
    "workers/core.ts",
    "src/host/ui/theme.css",
    "src/relay/vite-plugin.ts",
    "README.md",
    "LICENSE",
  ]) {
    expect(packed, path).toContain(path);
  }
});

test("every file that a packed file loads is packed with it", () => {
  expect(programs.length).toBeGreaterThan(200);
  const missing = programs.flatMap((path) =>
    imports(path)
      .filter((name) => name.startsWith("."))
      .map((name) => normalize(join(dirname(path), name)))
      // AssemblyScript names its modules without an ending.
      .map((file) => (path.startsWith("src/image/assembly/") ? `${file.replace(/\.ts$/, "")}.ts` : file))
      // What is built at the first start.
      .filter((file) => !file.startsWith("build/") && !packed.has(file))
      .map((file) => `${path} loads ${file}`),
  );
  expect(missing).toEqual([]);
});

test("every package that a packed file loads is installed with it", () => {
  const names = new Map<string, string>();
  for (const path of programs) {
    for (const name of imports(path)) {
      if (name.startsWith(".") || isBuiltin(name) || name.startsWith("node:")) continue;
      names.set(
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
        path,
      );
    }
  }
  expect([...names.keys()]).toEqual(
    expect.arrayContaining(["playwright-core", "vite", "tsx", "ws", "lit", "v86"]),
  );
  for (const [name, path] of names) expect(description.dependencies, path).toHaveProperty([name]);
});

test("nothing is installed twice or for nothing: each dependency is loaded by something, and pinned", () => {
  const used = new Set(
    programs.flatMap(imports).map((name) =>
      name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/"),
    ),
  );
  for (const [name, version] of Object.entries(description.dependencies)) {
    expect(used, name).toContain(name);
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(description.devDependencies).not.toHaveProperty([name]);
    expect(existsSync(join(root, "node_modules", name)), name).toBe(true);
  }
});

test("what only makes something faster is optional, and pinned", () => {
  for (const [name, version] of Object.entries(description.optionalDependencies ?? {})) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(description.dependencies).not.toHaveProperty([name]);
  }
});

test("of each package that has an install script it is decided whether it runs, so that npm asks nobody", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const scripted = Object.keys(packages)
    .filter((path) => packages[path].hasInstallScript)
    .map((path) => path.replace(/^.*node_modules\//, ""));
  expect(Object.keys(description.allowScripts).toSorted()).toEqual(scripted.toSorted());
});
