import { OpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Change, Plugin, Problem, Reading, Step } from "../core/plugin.ts";
import type { SecretStore } from "../core/ports.ts";
import { leavesOf, sameValue, valueAt, type Resources } from "../core/resource.ts";
import { commitmentsIn, hasSecrets, isUnreadable, mapSealed, unreadableIn, UNREADABLE_LOST } from "../core/secret.ts";
import { tellingNo } from "./discretion.ts";
import { sealedResources, sealedValue, sealingWith } from "./sealing.ts";

/**
 * A plugin that takes and gives sealed values wherever its schema marks a secret, so that none can get from it into a plan, the
 * journal or the log. Its `plan` compares commitments, which are equal where the values are; its `apply` alone is given the values.
 * A plugin without secrets is returned as it is.
 */
export function sealedPlugin(plugin: Plugin, secrets: SecretStore): Plugin {
  if (!hasSecrets(plugin.schema)) return plugin;
  const seal = sealingWith(plugin, secrets);
  const sealedChange = ({ resource, path, from, to, ...rest }: Change): Change => {
    const [before, after] = [from, to].map((value) => sealedValue(plugin, resource, { path, value }, seal));
    return { resource, path, from: before ?? null, to: after ?? null, ...rest };
  };
  return {
    ...plugin,
    async read(scope) {
      const { resources } = await plugin.read(scope);
      const states = sealedResources(plugin, Object.fromEntries(Object.entries(resources).map(([name, { state }]) => [name, state])), seal);
      const entries = Object.entries(resources).map(([name, reading]) => [name, { ...reading, state: states[name] ?? {} }] as const);
      return { resources: Object.fromEntries(entries) };
    },
    plan(desired, actual, owned) {
      const barred = barredSecrets(desired, actual, secrets);
      const { steps, problems, ...rest } = plugin.plan(desired, actual, owned);
      return { ...rest, steps: barred.length > 0 ? [] : steps.map(markedOneWay), problems: [...barred, ...problems] };
    },
    async apply(step, progress) {
      const { opened, values } = openedStep(step, secrets);
      const telling = tellingNo(values);
      const done = (resource: string, what: string) => progress.done(resource, telling.text(what));
      const { effects } = await Promise.resolve().then(() => plugin.apply(opened, { done })).catch((error: unknown) => {
        throw telling.error(error);
      });
      return { effects: effects.map(sealedChange) };
    },
  };
}

/** A step with its secrets as they are, and which those are. */
function openedStep(step: Step, secrets: SecretStore): { opened: Step; values: string[] } {
  const values: string[] = [];
  const open = (json: Json): Json =>
    mapSealed(json, (sealed) => {
      if (isUnreadable(sealed)) return sealed;
      const opening = secrets.open(sealed.secret);
      if (opening === undefined) throw new OpError("failed", notKept(sealed.secret));
      values.push(opening.value);
      return opening.value;
    });
  const actions = step.actions.map((action) => ({
    ...action,
    ...(action.from === undefined ? {} : { from: open(action.from) }),
    ...(action.to === undefined ? {} : { to: open(action.to) }),
  }));
  return { opened: { ...step, actions, call: open(step.call) }, values };
}

/** A step that takes away what could not be read cannot be taken back. */
function markedOneWay(step: Step): Step {
  const loses = step.actions.some(({ from = null, to = null }) => unreadableIn(from) > unreadableIn(to));
  return loses && step.oneWay === undefined ? { ...step, oneWay: UNREADABLE_LOST } : step;
}

/** The declared secrets that nobody could bring about, or could tell to be there. */
function barredSecrets(desired: Resources, actual: Reading, secrets: SecretStore): Problem[] {
  return Object.entries(desired).flatMap(([resource, keys]) =>
    leavesOf(keys).flatMap(({ path, value }) => {
      const is = valueAt(actual.resources[resource]?.state, path) ?? null;
      const why = sameValue(value, is) ? undefined : whyBarred(value, is, secrets);
      return why === undefined ? [] : [{ resource, path, message: why }];
    }),
  );
}

function whyBarred(value: Json, is: Json, secrets: SecretStore): string | undefined {
  if (unreadableIn(value) > 0) return "What the secret was could not be read before it was taken away";
  const commitments = commitmentsIn(value);
  if (commitments.length > 0 && unreadableIn(is) > 0) return "There is a secret that this host does not tell: nobody could say whether it is the declared one";
  const [lost] = commitments.filter((commitment) => secrets.open(commitment) === undefined);
  return lost === undefined ? undefined : notKept(lost);
}

function notKept(commitment: string): string {
  return `What the secret ${commitment} is to is not kept here any more`;
}
