import { toJsonSchema } from "@valibot/to-json-schema";
import { toJson } from "../../core/json.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

export const schemaCommand: CommandFactory = (context) =>
  command({
    args: {},
    about:
      "Prints the JSON Schema of the state document. An editor that is told of it, by \"$schema\" in the document, completes and checks while you type. " +
      "What a schema cannot say, such as which property a unit takes, 'op-dbus plan' checks.",
    example: "op-dbus schema > op-dbus.schema.json",
    exits: [0, 1, 2],
    async run() {
      const plugins = await context.plugins();
      const sections = plugins.map(({ name, schema }) => {
        // Checks written as code are not in the schema; all that it does say holds.
        const { $schema: _, ...section } = toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" });
        return [name, section] as const;
      });
      const schema = toJson({
        $schema: DIALECT,
        title: "op-dbus state document",
        type: "object",
        properties: {
          $schema: { type: "string" },
          version: { enum: [1, "1", "1.0"] },
          plugins: { type: "object", properties: Object.fromEntries(sections), additionalProperties: false },
        },
        required: ["version", "plugins"],
        additionalProperties: false,
      });
      await context.output.result(() => schema, () => JSON.stringify(schema, null, 2));
      return DONE;
    },
  });
