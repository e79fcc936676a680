import { OpError } from "../core/errors.ts";
import { isList, type Json } from "../core/json.ts";
import type { Change, Plugin, Problem, Reading, Step } from "../core/plugin.ts";
import type { SecretStore } from "../core/ports.ts";
import { leavesOf, sameValue, valueAt, withValue, type Resources } from "../core/resource.ts";
import { commitmentsIn, hasSecrets, isSealed, isUnreadable, mapSealed, mapSecrets, UNREADABLE_LOST, type SectionPath } from "../core/secret.ts";
import { tellingNo } from "./discretion.ts";

/**
 * A plugin that takes and gives sealed values wherever its schema marks a secret, so that none can get from it into a plan, the
 * journal or the log. Its `plan` compares commitments, which are equal where the values are; its `apply` alone is given the values.
 * A plugin without secrets is returned as it is.
 */
export function sealedPlugin(plugin: Plugin, secrets: SecretStore): Plugin {
  if (!hasSecrets(plugin.schema)) return plugin;
  const seal = (value: Json, path: SectionPath): Json => {
    if (isSealed(value)) return value;
    if (typeof value !== "string") throw new OpError("internal", `The plugin '${plugin.name}' reads a secret that is no text`);
    return { secret: secrets.commit(keyOf(plugin, path), value) };
  };
  const sealed = (resources: Resources): Resources => plugin.resources(mapSecrets(plugin.schema, plugin.section(resources), seal));
  const sealedChange = (change: Change): Change => {
    const { resource, path } = change;
    const of = (value: Json): Json => valueAt(sealed({ [resource]: withValue({}, path, value) })[resource], path) ?? null;
    return { ...change, from: of(change.from), to: of(change.to) };
  };
  return {
    ...plugin,
    async read(scope) {
      const { resources } = await plugin.read(scope);
      const states = sealed(Object.fromEntries(Object.entries(resources).map(([name, { state }]) => [name, state])));
      const entries = Object.entries(resources).map(([name, reading]) => [name, { ...reading, state: states[name] ?? {} }] as const);
      return { resources: Object.fromEntries(entries) };
    },
    plan(desired, actual, owned) {
      const barred = barredSecrets(desired, actual, secrets);
      const { steps, problems, ...rest } = plugin.plan(desired, actual, owned);
      return { ...rest, steps: barred.length > 0 ? [] : steps.map(markedOneWay), problems: [...barred, ...problems] };
    },
    async apply(step, progress) {
      const values: string[] = [];
      const open = (json: Json): Json =>
        mapSealed(json, (value) => {
          if (isUnreadable(value)) return value;
          const opening = secrets.open(value.secret);
          if (opening === undefined) throw new OpError("failed", `What the secret ${value.secret} is to is not kept here any more`);
          values.push(opening.value);
          return opening.value;
        });
      const actions = step.actions.map((action) => ({
        ...action,
        ...(action.from === undefined ? {} : { from: open(action.from) }),
        ...(action.to === undefined ? {} : { to: open(action.to) }),
      }));
      const opened: Step = { ...step, actions, call: open(step.call) };
      const telling = tellingNo(values);
      const done = (resource: string, what: string) => progress.done(resource, telling.text(what));
      const { effects } = await Promise.resolve().then(() => plugin.apply(opened, { done })).catch((error: unknown) => {
        throw telling.error(error);
      });
      return { effects: effects.map(sealedChange) };
    },
  };
}

/** What a commitment is bound to besides the value: members of one list may change places. */
export function keyOf({ name }: Plugin, path: SectionPath): string[] {
  return [name, ...path.filter((key) => typeof key === "string")];
}

/** A step that takes away what could not be read cannot be taken back. */
function markedOneWay(step: Step): Step {
  const loses = step.actions.some(({ from, to }) => isUnreadable(from) && !isUnreadable(to));
  return loses && step.oneWay === undefined ? { ...step, oneWay: UNREADABLE_LOST } : step;
}

/** The declared secrets that nobody could bring about, or could tell to be there. */
function barredSecrets(desired: Resources, actual: Reading, secrets: SecretStore): Problem[] {
  return Object.entries(desired).flatMap(([resource, keys]) =>
    leavesOf(keys).flatMap(({ path, value }) => {
      const is = valueAt(actual.resources[resource]?.state, path);
      if (!holdsSecret(value) || sameValue(value, is)) return [];
      const why = whyBarred(value, is, secrets);
      return why === undefined ? [] : [{ resource, path, message: why }];
    }),
  );
}

function holdsSecret(value: Json): boolean {
  return isSealed(value) || (isList(value) && value.some(isSealed));
}

function whyBarred(value: Json, is: Json | undefined, secrets: SecretStore): string | undefined {
  if (isUnreadable(value)) return "What the secret was could not be read before it was taken away";
  if (isUnreadable(is)) return "There is a secret that this host does not tell: nobody could say whether it is the declared one";
  const [lost] = commitmentsIn(value).filter((commitment) => secrets.open(commitment) === undefined);
  return lost === undefined ? undefined : `What the secret ${lost} is to is not kept here any more`;
}
