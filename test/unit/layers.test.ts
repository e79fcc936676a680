import { describe, expect, test } from "bun:test";
import { dirname, join, relative, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../../src");

/** DESIGN.md, Layers: what each room may import, and why no more. */
const ROOMS: Readonly<Record<string, { readonly may: readonly string[]; readonly why: string }>> = {
  main: { may: ["cli", "daemon", "plugins", "packages", "search", "protocols", "store", "engine", "sys", "core"], why: "it puts everything together" },
  cli: { may: ["daemon", "plugins", "packages", "search", "protocols", "store", "engine", "core"], why: "the OS and the wire are handed to it by main.ts, so that every command can be tested without them" },
  daemon: { may: ["protocols", "store", "engine", "core"], why: "it runs the engine and is handed the rest" },
  plugins: { may: ["protocols", "core"], why: "a plugin is read, plan and apply; journal, audit and revert are the engine's, and a plugin that reached them would not be taken back" },
  packages: { may: ["store", "sys", "core"], why: "what arrives from others is checked far from what it could change" },
  search: { may: ["store", "sys", "core"], why: "it reads the log and knows nothing of the host" },
  protocols: { may: ["sys", "core"], why: "a protocol speaks to its peer; what to say is the plugins' matter" },
  store: { may: ["sys", "core"], why: "it keeps what it is given and decides nothing" },
  engine: { may: ["core"], why: "the laws must hold for every plugin and on every store, so it knows none of them" },
  sys: { may: ["core"], why: "it is the only door to the OS and opens to no one's policy" },
  core: { may: [], why: "it is pure, and everything rests on it" },
};

/** Packages that can each be replaced in one place. A path that ends in "/" is a folder. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  valibot: [""],
  "@valibot/to-json-schema": ["cli/commands/schema.ts"],
  "jsonc-parser": ["core/json-text.ts"],
  "smol-toml": ["core/"],
  "onnxruntime-node": ["search/"],
  citty: ["cli/command.ts"],
};

/** What belongs to the OS: only sys opens files, sockets, processes and libraries. */
const OS_MODULES = /^(node:)?(fs|fs\/promises|child_process|worker_threads|dgram|v8|vm|module)$|^bun:(ffi|sqlite|jsc)$/;
const SOCKET_MODULES = /^(node:)?(net|tls|http|https|http2|dns)$/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = [...new Bun.Glob("**/*.ts").scanSync(SRC)].sort();
const texts = new Map(await Promise.all(files.map(async (file) => [file, withoutComments(await Bun.file(join(SRC, file)).text())] as const)));
const imports = files.flatMap((file) => importsOf(file, texts.get(file) ?? ""));

describe("layers", () => {
  test("a room imports only from the rooms below it", () => {
    const wrong = relativeImports().filter(({ from, to }) => roomOf(from) !== roomOf(to) && ROOMS[roomOf(from)]?.may.includes(roomOf(to)) !== true);
    report(wrong.map(({ from, to }) => {
      const { may = [], why = "there is no such room in DESIGN.md" } = ROOMS[roomOf(from)] ?? {};
      return `src/${from} imports src/${to}: ${roomOf(from)}/ may import ${may.join(", ") || "nothing"}, because ${why}`;
    }));
  });

  test("every file is in a room that DESIGN.md knows", () => {
    report(files.filter((file) => !file.endsWith(".d.ts") && ROOMS[roomOf(file)] === undefined).map((file) => `src/${file} is in no room of DESIGN.md's table`));
  });

  test("protocols never import each other", () => {
    const protocol = (file: string) => file.split("/")[1];
    const wrong = relativeImports().filter(({ from, to }) => roomOf(from) === "protocols" && roomOf(to) === "protocols" && protocol(from) !== protocol(to));
    report(wrong.map(({ from, to }) => `src/${from} imports src/${to}: a protocol is understood, and replaced, on its own`));
  });

  test("the command line speaks to protocols through their clients, not their codecs", () => {
    const wrong = relativeImports().filter(({ from, to }) => roomOf(from) === "cli" && roomOf(to) === "protocols" && !to.endsWith("/client.ts"));
    report(wrong.map(({ from, to }) => `src/${from} imports src/${to}: what is on the wire is not the command line's matter`));
  });

  test("no imports go in a circle", () => {
    report(cycles(relativeImports()).map((cycle) => `${cycle.map((file) => `src/${file}`).join(" -> ")}: neither can be read, tested or moved without the other`));
  });

  test("packages are imported only where they are confined", () => {
    const wrong = imports.filter(({ to }) => isPackage(to)).flatMap(({ from, to }) => {
      const places = PACKAGES[packageName(to)];
      if (places === undefined) return [`src/${from} imports '${to}', which is not in this test's list: say there where it belongs`];
      const allowed = places.some((place) => (place === "" || place.endsWith("/") ? from.startsWith(place) : from === place));
      return allowed ? [] : [`src/${from} imports '${to}': it is confined to src/${places.join(", src/")}, so that it can be replaced in one place`];
    });
    report(wrong);
  });

  test("only sys opens files, processes and libraries, and only sys and protocols open sockets", () => {
    const wrong = imports.filter(({ from, to }) => {
      const room = roomOf(from);
      return (OS_MODULES.test(to) && room !== "sys") || (SOCKET_MODULES.test(to) && room !== "sys" && room !== "protocols");
    });
    report(wrong.map(({ from, to }) => `src/${from} imports '${to}': sys/ is the only door to the OS, so that what reaches the disk can be seen, made durable and tested in one place`));
  });

  test("core and engine import nothing of the runtime", () => {
    const wrong = imports.filter(({ from, to }) => ["core", "engine"].includes(roomOf(from)) && /^(node|bun):/.test(to));
    report(wrong.map(({ from, to }) => `src/${from} imports '${to}': ${roomOf(from)}/ is pure, what it needs of the world is handed to it`));
  });

  test("process.exit is in main.ts only", () => {
    const wrong = files.filter((file) => file !== "main.ts" && /\bprocess\s*\.\s*(exit|reallyExit|abort)\b/.test(texts.get(file) ?? ""));
    report(wrong.map((file) => `src/${file} ends the process: what is open would not be closed, and the exit code would not be from the one table`));
  });

  test("nothing is imported by a computed name", () => {
    const wrong = files.filter((file) => /\bimport\s*\(\s*[^"'\s)]/.test(texts.get(file) ?? "") || /\brequire\s*\(/.test(texts.get(file) ?? ""));
    report(wrong.map((file) => `src/${file} imports by a name that is only known at run time: a binary run as root in a hostile folder would load that folder's`));
  });

  test("the native library is reached by dynamic imports only", () => {
    const wrong = trailTo("main.ts", (file) => file.startsWith("sys/native/"));
    report(wrong === undefined ? [] : [`${wrong.map((file) => `src/${file}`).join(" -> ")}: 'op-dbus version' would pay for what it does not use; import it where it is used, by await import()`]);
  });

  test("what this test reads is at least what the bundler sees", () => {
    const transpiler = new Bun.Transpiler({ loader: "ts" });
    const missed = files.flatMap((file) =>
      transpiler.scanImports(texts.get(file) ?? "").filter(({ path }) => !imports.some(({ from, to }) => from === file && (to === path || to === target(file, path)))).map(({ path }) => `src/${file}: ${path}`),
    );
    report(missed);
  });
});

test("importsOf sees type-only, re-exported, dynamic, side-effect and multi-line imports, and no comments", () => {
  const text = `import type { A } from "./a.ts";
import {
  b,
} from './b.ts';
export * from "./c.ts";
export type { D } from "./d.ts";
import "./e.ts";
const f = await import("./f.ts");
type G = import("./g.ts").G;
// import { h } from "./h.ts";
/* import { i } from "./i.ts"; */
const url = "http://example.org/x"; import { j } from "valibot";`;
  expect(importsOf("cli/x.ts", withoutComments(text)).map(({ to }) => to).sort()).toEqual([..."abcdefg"].map((name) => `cli/${name}.ts`).concat("valibot"));
});

test("trailTo follows what is imported at once, and nothing else", () => {
  expect(trailTo("sys/native/netlink-socket.ts", (file) => file === "sys/libc.ts")?.at(-1)).toBe("sys/libc.ts");
  expect(trailTo("main.ts", (file) => file === "sys/clock.ts")).toEqual(["main.ts", "sys/clock.ts"]);
  expect(trailTo("main.ts", (file) => file === "engine/engine.ts")).toBeUndefined();
});

test("cycles finds one, through type-only imports too", () => {
  const edge = (from: string, to: string): Import => ({ from, to, typeOnly: true });
  expect(cycles([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d")])).toEqual([["a", "b", "c", "a"]]);
  expect(cycles([edge("a", "b"), edge("a", "c"), edge("b", "c")])).toEqual([]);
});

function importsOf(file: string, text: string): Import[] {
  const patterns = [
    /\b(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]|\bas\b)*?\bfrom\s*(["'])([^"'\n]+)\2/g,
    /\bimport\s+()(["'])([^"'\n]+)\2/g,
    /\bimport\s*()\(\s*(["'])([^"'\n]+)\2\s*\)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, typeOnly, , specifier = ""]) => ({ from: file, to: target(file, specifier), typeOnly: typeOnly !== undefined && typeOnly !== "" })),
  );
}

/** A relative import as a path below src; any other as it is written. */
function target(file: string, specifier: string): string {
  return specifier.startsWith(".") ? relative(SRC, resolve(SRC, dirname(file), specifier)) : specifier;
}

function relativeImports(): Import[] {
  return imports.filter(({ to }) => files.includes(to) || to.startsWith(".."));
}

function roomOf(file: string): string {
  const [first = ""] = file.split("/");
  return first.replace(/\.ts$/, "");
}

function isPackage(specifier: string): boolean {
  return !/^(node:|bun:)/.test(specifier) && !OS_MODULES.test(specifier) && !SOCKET_MODULES.test(specifier) && !files.includes(specifier) && specifier !== "bun";
}

/** The first trail of imports, all made when the first file is loaded, that leads to a file that is looked for. */
function trailTo(start: string, wanted: (file: string) => boolean): string[] | undefined {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const seen = new Set<string>();
  const visit = (file: string): string[] | undefined => {
    if (wanted(file)) return [file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    const next = transpiler.scanImports(texts.get(file) ?? "").filter(({ kind }) => kind === "import-statement");
    const trail = next.map(({ path }) => visit(target(file, path))).find((found) => found !== undefined);
    return trail && [file, ...trail];
  };
  return visit(start);
}

function packageName(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Each cycle once, from the file that it was first entered by. */
function cycles(edges: readonly Import[]): string[][] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const found: string[][] = [];
  const finished = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push([...trail.slice(at), file]);
    if (at >= 0 || finished.has(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...trail, file]);
    finished.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

/** Comments blanked out, strings left alone ("http://"). */
function withoutComments(text: string): string {
  return text.replace(/("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (_, string: string | undefined) => string ?? "");
}

function report(violations: readonly string[]): void {
  if (violations.length > 0) throw new Error(`\n${violations.join("\n")}\n`);
}
