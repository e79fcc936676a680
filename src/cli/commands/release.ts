import { keyName } from "../../core/resource.ts";
import { recordChange } from "../books.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { printable } from "../printable.ts";
import { findOwned } from "../resource-name.ts";
import { tellRecovered } from "../standing.ts";

export const releaseCommand: CommandFactory = (context) =>
  command({
    args: {
      resource: { type: "positional", value: "RESOURCE", required: true, description: "'plugin:name', or 'name' where one plugin's is owned" },
    },
    about: "Ends op-dbus's ownership of a resource: it is no longer listed as undeclared, nor pruned. The host is not changed.",
    example: "op-dbus release systemd:nginx.service",
    exits: [0, 1, 2, 6, 8],
    async run({ resource }) {
      await using session = await context.open("write");
      const options = { force: false, observer: {}, recovered: tellRecovered(context) };
      const { plugin, name, released } = await session.engine.change("release", options, async (host) => {
        const ownership = host.ledger.ownership();
        const { plugin, name } = findOwned(resource, ownership, host.plugins);
        const { [name]: gone, ...others } = ownership[plugin] ?? {};
        const released = gone?.keys.map(({ path }) => keyName(path)) ?? [];
        const commit = { ownership: { ...ownership, [plugin]: others } };
        await recordChange(host, { kind: "ownership", operation: "release", plugin, resource: name, before: released }, commit);
        return { plugin, name, released };
      });
      await context.output.result(
        () => ({ plugin, resource: name, released }),
        () => printable(`op-dbus no longer owns ${plugin}:${name} (${released.join(", ")}); it stays as it is`),
      );
      return DONE;
    },
  });
