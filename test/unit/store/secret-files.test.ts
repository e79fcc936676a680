import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { commitmentTo } from "../../../src/core/secret.ts";
import { statePaths } from "../../../src/store/paths.ts";
import { scratch } from "../sys/scratch.ts";
import { openAt } from "./samples.ts";

const KEY = ["wg", "peers", "a", "psk"];

describe("SecretFiles", () => {
  test("writes nothing until a secret is kept, and then that one only, for its owner alone", async () => {
    await using folder = scratch();
    const { secrets } = openAt(folder.path);
    const [named, other] = [secrets.commit(KEY, "one"), secrets.commit(KEY, "two")];
    expect([readdirSync(folder.path), secrets.unkept({ a: [named] }), secrets.unkept("nothing")]).toEqual([[], [named], []]);
    await secrets.keep({ detail: `it was {"secret":"${named}"}` });
    const { secrets: kept, secretsKey } = statePaths(folder.path);
    expect(readdirSync(kept)).toEqual([`${named}.json`]);
    const modes = [kept, `${kept}/${named}.json`, secretsKey].map((path) => (statSync(path).mode & 0o777).toString(8));
    expect(modes).toEqual(["700", "600", "600"]);
    expect(secrets.unkept({ named, other })).toEqual([other]);
  });

  test("gives the same key and value the same commitment, in another process too, and others others", async () => {
    await using folder = scratch();
    const { secrets } = openAt(folder.path);
    const first = secrets.commit(KEY, "one");
    expect([secrets.commit(KEY, "one") === first, secrets.commit(KEY, "two") === first, secrets.commit([...KEY, "x"], "one") === first]).toEqual([true, false, false]);
    await secrets.keep(first);
    const again = openAt(folder.path).secrets;
    expect([again.commit(KEY, "one"), again.unkept(first)]).toEqual([first, []]);
    await using elsewhere = scratch();
    expect(openAt(elsewhere.path).secrets.commit(KEY, "one")).not.toBe(first);
  });

  test("opens what it keeps, in another process, as what it commits to", async () => {
    await using folder = scratch();
    const { secrets } = openAt(folder.path);
    const commitment = secrets.commit(KEY, 'quo"te\nline ä');
    await secrets.keep(commitment);
    const opening = openAt(folder.path).secrets.open(commitment);
    expect(opening?.value).toBe('quo"te\nline ä');
    expect(opening && commitmentTo(opening)).toBe(commitment);
    expect(openAt(folder.path).secrets.open("0".repeat(64))).toBeUndefined();
  });

  test("goes on with the key that another process stored meanwhile", async () => {
    await using folder = scratch();
    const [mine, theirs] = [openAt(folder.path).secrets, openAt(folder.path).secrets];
    const before = mine.commit(KEY, "one");
    const stored = theirs.commit(KEY, "one");
    await theirs.keep(stored);
    expect([mine.commit(KEY, "one"), before === stored]).toEqual([stored, false]);
    await mine.keep(before);
    expect(openAt(folder.path).secrets.open(before)?.value).toBe("one");
    expect(openAt(folder.path).secrets.commit(KEY, "one")).toBe(stored);
  });

  test("refuses to go on without the key that what is kept was sealed with", async () => {
    await using folder = scratch();
    const { secrets } = openAt(folder.path);
    await secrets.keep(secrets.commit(KEY, "one"));
    const { secretsKey } = statePaths(folder.path);
    writeFileSync(secretsKey, "no key\n");
    expect(() => openAt(folder.path).secrets.commit(KEY, "one")).toThrow(expect.objectContaining({ kind: "integrity", message: `${secretsKey} is no key` }));
    rmSync(secretsKey);
    expect(() => openAt(folder.path).secrets.commit(KEY, "one")).toThrow(expect.objectContaining({ kind: "integrity", message: `${secretsKey} is missing` }));
    expect(existsSync(secretsKey)).toBe(false);
  });

  test("tells a file that holds another secret, or none", async () => {
    await using folder = scratch();
    const { secrets } = openAt(folder.path);
    const [one, two] = [secrets.commit(KEY, "one"), secrets.commit(KEY, "two")];
    await secrets.keep([one, two]);
    const path = (commitment: string) => `${statePaths(folder.path).secrets}/${commitment}.json`;
    writeFileSync(path(one), readFileSync(path(two)));
    expect(() => openAt(folder.path).secrets.open(one)).toThrow(expect.objectContaining({ kind: "integrity" }));
    writeFileSync(path(two), '{"salt":"x"}');
    expect(() => openAt(folder.path).secrets.open(two)).toThrow(expect.objectContaining({ kind: "integrity" }));
  });

  test("what a writer that died left of a secret is swept away with the rest", async () => {
    await using folder = scratch();
    const { secrets, journal } = openAt(folder.path);
    await secrets.keep(secrets.commit(KEY, "one"));
    const leftover = `${statePaths(folder.path).secrets}/.op-dbus-00000000-0000-0000-0000-000000000000.tmp`;
    writeFileSync(leftover, "half a sec");
    const { header } = await import("./samples.ts");
    await journal.begin(header);
    expect(existsSync(leftover)).toBe(false);
  });
});
