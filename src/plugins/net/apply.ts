import { messageOf, OpError } from "../../core/errors.ts";
import type { Change, Progress, Reading, Step, StepOutcome } from "../../core/plugin.ts";
import { leavesOf, sameValue, type Resource } from "../../core/resource.ts";
import type { Netlink, Request } from "../../protocols/netlink/netlink.ts";
import { getLink } from "../../protocols/netlink/reads.ts";
import { isDone } from "./done.ts";
import { readNetwork, type Network } from "./network.ts";
import { changeVswitch } from "./ovs/apply.ts";
import { readHost, readingOf, type Sources } from "./reading.ts";
import { requestsFor, restoringFor, type Current } from "./requests.ts";
import { keyOf, type Call, type Operation } from "./steps.ts";

/**
 * Takes one step, message by message, leaving out what is so already, and reads back what the kernel did along. A message that fails
 * is no failure where its end is reached all the same, as after a crash.
 */
export async function applyStep(step: Step, sources: Sources, progress: Progress): Promise<StepOutcome> {
  const call = step.call as unknown as Call;
  const before = await readHost(undefined, sources);
  if ("vswitch" in call) await changeVswitch(call.vswitch, sources, async () => new Set((await readNetwork(sources.netlink)).links.keys()));
  const failures = "vswitch" in call ? [] : await carryOut(call.operations, before.network, sources.netlink);
  const after = await readHost(undefined, sources);
  const [first, ...others] = failures.filter(({ operation }) => !isDone(operation, after.network));
  if (first !== undefined) throw failed(first.error, others.map(({ error }) => messageOf(error)));
  for (const { resource, verb } of step.actions) progress.done(resource, verb);
  return { effects: effectsOf(step, readingOf(before, undefined, sources), readingOf(after, undefined, sources)) };
}

interface Failure {
  readonly operation: Operation;
  readonly error: unknown;
}

/** Sends the messages of all operations in order, many at once; it waits only where one needs the number of a link that another makes. */
async function carryOut(operations: readonly Operation[], network: Network, netlink: Netlink): Promise<Failure[]> {
  const failures: Failure[] = [];
  const made = new Map<string, number>();
  let sent: Promise<void>[] = [];
  const settle = async () => {
    await Promise.all(sent);
    sent = [];
  };
  const current: Current = {
    async indexOf(name) {
      const known = made.get(name) ?? network.links.get(name)?.index;
      if (known !== undefined) return known;
      await settle();
      const { index } = await netlink.send(getLink({ name }));
      made.set(name, index);
      return index;
    },
    async vlansOf(port) {
      await settle();
      const now = await readNetwork(netlink);
      const link = now.links.get(port);
      return link === undefined ? [] : now.vlans(link);
    },
  };
  for (const operation of operations) {
    if (isDone(operation, network)) continue;
    try {
      const requests = await requestsFor(operation, network, current);
      sent.push(...requests.map((request) => tell(request, operation, netlink, failures)));
      sent.push(...restoringFor(operation, network).map((request) => tell(request, operation, netlink, [])));
    } catch (error) {
      failures.push({ operation, error });
    }
  }
  await settle();
  return failures;
}

async function tell(request: Request<void>, operation: Operation, netlink: Netlink, failures: Failure[]): Promise<void> {
  try {
    await netlink.send(request);
  } catch (error) {
    failures.push({ operation, error });
  }
}

function failed(error: unknown, others: readonly string[]): unknown {
  if (!(error instanceof OpError) || others.length === 0) return error;
  const { kind, operation, retryable, details, hint } = error;
  return new OpError(kind, error.message, {
    cause: error, retryable, details: [...details, ...others],
    ...(operation === undefined ? {} : { operation }), ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * What changed besides the step's own actions: a bridge's MTU that follows its ports', routes that went with a network. Hardware addresses
 * are left out: a bond lends its ports its own, and udev gives new links one in its own time (systemd.link(5), MACAddressPolicy=).
 */
function effectsOf({ actions }: Step, before: Reading, after: Reading): Change[] {
  const told = new Set(actions.map(keyOf));
  const [because] = actions;
  const names = [...new Set([...Object.keys(before.resources), ...Object.keys(after.resources)])];
  const effects = names.flatMap((resource) => differences(resource, keysOf(before, resource), keysOf(after, resource)));
  return effects.filter((change) => !told.has(keyOf(change)) && change.path[0] !== "mac").map((change) => (because === undefined ? change : { ...change, impliedBy: because.resource }));
}

function keysOf({ resources }: Reading, name: string): Resource {
  const reading = resources[name];
  return reading === undefined ? { state: "absent" } : { state: "present", ...reading.state };
}

function differences(resource: string, before: Resource, after: Resource): Change[] {
  const [was, is] = [before, after].map((state) => new Map(leavesOf(state).map(({ path, value }) => [path.join("\0"), { path, value }])));
  const keys = [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])];
  return keys.flatMap((key) => {
    const [from, to] = [was?.get(key)?.value ?? null, is?.get(key)?.value ?? null];
    const path = was?.get(key)?.path ?? is?.get(key)?.path ?? [];
    return sameValue(from, to) ? [] : [{ resource, path, from, to }];
  });
}
