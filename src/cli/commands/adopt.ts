import { OpError } from "../../core/errors.ts";
import { keyName, sameValue, type OwnedResource } from "../../core/resource.ts";
import { recordChange } from "../books.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { counted, printable } from "../printable.ts";
import { findResource, type Known } from "../resource-name.ts";
import { tellRecovered } from "../standing.ts";

export const adoptCommand: CommandFactory = (context) =>
  command({
    args: {
      resource: { type: "positional", value: "RESOURCE", required: true, description: "'plugin:name', or 'name' where one plugin knows it" },
    },
    about:
      "Makes op-dbus the owner of a resource as if it had made it: 'plan' lists it when it is no longer declared, and --prune removes it. The host is not changed.",
    example: "op-dbus adopt systemd:nginx.service",
    exits: [0, 1, 2, 6, 8],
    async run({ resource }) {
      await using session = await context.open("write");
      const options = { force: false, observer: {}, recovered: tellRecovered(context) };
      const { known, taken } = await session.engine.change("adopt", options, async (host) => {
        const known = await findResource(resource, host.plugins);
        const { plugin, name } = known;
        const ownership = host.ledger.ownership();
        const before = ownership[plugin.name]?.[name];
        const { owned, taken } = withAdopted(before, known, host.clock.now().toISOString());
        if (taken.length > 0) {
          const commit = { ownership: { ...ownership, [plugin.name]: { ...ownership[plugin.name], [name]: owned } } };
          await recordChange(host, { kind: "ownership", operation: "adopt", plugin: plugin.name, resource: name, after: taken }, commit);
        }
        return { known, taken };
      });
      const named = `${known.plugin.name}:${known.name}`;
      await context.output.result(
        () => ({ plugin: known.plugin.name, resource: known.name, adopted: taken }),
        () => printable(taken.length === 0 ? `op-dbus owns ${named} already` : `op-dbus now owns ${counted(taken.length, "key")} of ${named}: ${taken.join(", ")}`),
      );
      return DONE;
    },
  });

/** Keys that are owned already stay as they are, with the original they first had. */
function withAdopted(before: OwnedResource | undefined, { plugin, name, reading }: Known, now: string): { owned: OwnedResource; taken: string[] } {
  const keys = plugin.adopt(reading);
  if (keys.length === 0 && before === undefined) {
    throw new OpError("refused", `There is nothing about '${name}' that op-dbus could own: it is not something that --prune could remove`);
  }
  const fresh = keys.filter(({ path }) => !before?.keys.some((key) => sameValue([...key.path], [...path])));
  const owned: OwnedResource = {
    since: before?.since ?? now,
    ...(reading.identity === undefined ? {} : { identity: reading.identity }),
    keys: [...(before?.keys ?? []), ...fresh],
  };
  return { owned, taken: fresh.map(({ path }) => keyName(path)) };
}
