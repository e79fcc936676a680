import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { Bench, failure } from "./in-memory.ts";

describe("Engine.query", () => {
  test("prints what is as a document, what can only be seen under observed", async () => {
    await using bench = new Bench();
    const { id } = bench.memory.put("a", { value: "x", members: ["m"] });
    const { document, failures } = await (await bench.engine()).query("memory");
    expect(failures).toEqual({});
    expect(document.plugins).toEqual({
      memory: {
        items: {
          a: {
            state: "present", value: "x", level: null, up: false, properties: {}, members: ["m"], complete: [],
            pulls: null, echo: null, password: null, keys: [], fuse: "intact", observed: { id, restarts: 0 },
          },
        },
      },
    });
  });

  test("does not let a plugin that fails hide the others, and says why it failed", async () => {
    await using bench = new Bench();
    bench.second.put("z", {});
    const reason = new OpError("unavailable", "The bus is gone");
    bench.memory.unreadable = reason;
    const { document, failures } = await (await bench.engine()).query(undefined);
    expect(Object.keys(document.plugins)).toEqual(["second"]);
    expect(failures).toEqual({ memory: reason });
  });

  test("throws kind invalid for a plugin that there is not, naming those there are", async () => {
    await using bench = new Bench();
    const engine = await bench.engine();
    const error = await failure("invalid", Promise.resolve().then(() => engine.query("third")));
    expect(error.hint).toBe("Plugins: memory, second");
  });
});
