import { restrictTo, type SourcedDocument, type StateDocument } from "../core/document.ts";
import { equalJson, toJson } from "../core/json.ts";
import { whatMoved, type Basis, type Moved, type Plan } from "../core/plan.ts";
import type { Plugin, Step } from "../core/plugin.ts";
import type { Proof } from "../core/confirmation.ts";
import type { TransactionHeader } from "../core/ports.ts";
import { messageOf, OpError } from "../core/errors.ts";
import { keyName } from "../core/resource.ts";
import { changesByPlugin, policiesOf, stateOf } from "./settlement.ts";
import { stepsAsRecorded } from "./chronicle.ts";
import { refusalsOf, refuse } from "./gate.ts";
import { lockAtDeadline } from "./guard.ts";
import { heldHeader, holdOf, stillWaiting, type HeldHeader, type Waiting } from "./hold.ts";
import { pluginOf, type Host, type Observer } from "./host.ts";
import { outcomeOf, type Watch } from "./outcome.ts";
import { makePlan, type Planned } from "./planning.ts";
import { queryAll, type Queried } from "./query.ts";
import { sealedDocument, sealedHost } from "./sealed-host.ts";
import { courseOf, recover, takeBackWaiting, type Recovered } from "./recovery.ts";
import { appliesToUndo, planRollback, type RollbackPlan } from "./rollback.ts";
import { identitiesOf, type PluginProblem } from "./survey.ts";
import { confirmWaiting, runTransaction } from "./transaction.ts";

/** A plan kept for later: single use, and only on the host it was made on, unmoved. */
export interface SavedPlan {
  readonly id: string;
  readonly hash: string;
  readonly basis: Basis;
}

export interface ChangeOptions {
  readonly force: boolean;
  readonly observer: Observer;
  /** Told what was recovered before anything else is done. */
  recovered(report: Recovered): void;
}

interface HostChangeOptions extends ChangeOptions {
  /** Taken back unless it is confirmed within so much of its first write; without it, it is kept as soon as it is verified. */
  readonly confirmWithinMs?: number | undefined;
}

export interface ApplyRequest extends HostChangeOptions {
  readonly source: SourcedDocument;
  readonly plugin: string | undefined;
  readonly prune: boolean;
  readonly saved: SavedPlan | undefined;
  /** Shown the plan before anything is changed; what it throws ends the apply. */
  confirm(plan: Plan): Promise<void>;
}

export interface RollbackRequest extends HostChangeOptions {
  readonly to: string | undefined;
  confirm(plan: RollbackPlan): Promise<void>;
  /** Shown instead what waits to be confirmed, and is to be taken back. */
  confirmTakingBack(waiting: Waiting): Promise<void>;
}

export interface ConfirmRequest extends ChangeOptions {
  /** Whether the change that waits may be kept. */
  prove(waiting: Waiting): Proof;
}

export interface RecoverRequest extends Omit<ChangeOptions, "force"> {
  /** Nobody is there: waits for the deadline of what is held, takes the lock from a holder that does not let go, and puts the guards away. */
  readonly guard: boolean;
}

export interface Applied {
  readonly plan: Plan;
  /** False when there was nothing to change, and nothing was written. */
  readonly changed: boolean;
  readonly checkpoint: string | undefined;
  /** The change that waits to be confirmed; undefined for one that was kept at once. */
  readonly waiting: HeldHeader | undefined;
}

export interface RolledBack extends Pick<Applied, "waiting"> {
  readonly plan: RollbackPlan;
}

/** How old a reading may be that the first write relies on: longer than a large host takes to read, shorter than a person to answer. */
const FRESH_MS = 700;

/** What a command of op-dbus asks of the host. */
export class Engine {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = sealedHost(host);
  }

  /** One failing plugin does not hide the others. */
  query(plugin: string | undefined): Promise<Queried> {
    const { plugins, secrets } = this.#host;
    return queryAll(plugin === undefined ? plugins : [pluginOf(plugins, plugin)], secrets);
  }

  /** The difference between the document and the host. Throws a DocumentError for what this host cannot be brought to. */
  async plan(source: SourcedDocument, options: { plugin: string | undefined; prune: boolean }): Promise<Plan> {
    return (await this.#planned(source, options)).plan;
  }

  /** Keeps the secrets that a plan names, so that another process can carry it out. Writes nothing, and asks for no lock, where there are none. */
  async keepSecrets({ document, basis }: Plan): Promise<void> {
    const { lock, secrets } = this.#host;
    if (secrets.unkept({ document, basis }).length === 0) return;
    await using _ = await lock.acquire("plan");
    await secrets.keep({ document, basis });
  }

  /** Why an apply of this plan would be refused now, without asking for the lock. */
  async refusals(plan: Plan, { force, held, saved }: { force: boolean; held: boolean; saved?: SavedPlan | undefined }): Promise<string[]> {
    const waiting = this.#waiting();
    const reasons = [
      ...(waiting === undefined ? [] : [stillWaiting(waiting, this.#host.clock).message]),
      ...refusalsOf({ steps: plan.steps, rejections: this.#rejections([plan.documentHash]), force, held }),
    ];
    try {
      if (saved !== undefined) this.#checkSaved(saved, plan);
      return reasons;
    } catch (error) {
      return [messageOf(error), ...(error instanceof OpError ? error.details : []), ...reasons];
    }
  }

  async apply(request: ApplyRequest): Promise<Applied> {
    await using _ = await this.#host.lock.acquire("apply");
    await this.#recover(request);
    const { ledger } = this.#host;
    const readAt = this.#host.clock.monotonicMs();
    const planned = await this.#planned(request.source, request);
    const { plan } = planned;
    await this.#pass(() => {
      if (request.saved !== undefined) this.#checkSaved(request.saved, plan);
      const held = request.confirmWithinMs !== undefined;
      refuse(refusalsOf({ steps: plan.steps, rejections: this.#rejections([plan.documentHash]), force: request.force, held }));
    });
    if (plan.steps.length === 0) {
      const inForce = Object.entries(plan.document.plugins).every(([name, section]) =>
        equalJson(ledger.current().plugins[name], section),
      );
      const pruned = request.prune && Object.values(plan.strays).some((strays) => strays.length > 0);
      if (inForce && !pruned && request.saved === undefined) return { plan, changed: false, checkpoint: undefined, waiting: undefined };
    } else {
      await request.confirm(plan);
      await this.#guarded(request.confirmWithinMs !== undefined, () =>
        this.#pass(() => this.#unmoved(plan.basis, readAt, async () => (await this.#planned(request.source, request)).plan.basis)),
      );
    }
    const header = { ...this.#header("apply", plan, planned, request.saved?.id), ...this.#holding(request, plan.steps) };
    const { checkpoints } = await runTransaction({ host: this.#host, header, observer: request.observer }, plan.steps);
    return { plan, changed: plan.steps.length > 0, checkpoint: checkpoints?.at(-1)?.name, waiting: heldHeader(header) };
  }

  /** Waits, without the lock, for what becomes of a change that waits to be confirmed. Returns when it was kept, throws kind failed or unreverted when not. */
  async outcome(waiting: HeldHeader, watch: Watch): Promise<void> {
    await outcomeOf(this.#host, waiting, watch);
  }

  /** Keeps the change that waits. Throws kind refused where there is none, or the caller does not show that it may be kept. */
  async confirm(request: ConfirmRequest): Promise<Waiting> {
    await using _ = await this.#host.lock.acquire("confirm");
    const waiting = this.#waiting();
    if (waiting === undefined) {
      await this.#recover(request);
      throw new OpError("refused", "Nothing waits to be confirmed");
    }
    const { proven, what } = request.prove(waiting);
    await this.#pass(() => {
      if (!proven && !request.force) throw new OpError("refused", `That does not show that the host can still be reached: ${what}`, { hint: "Log in anew, or say that you know it can be: op-dbus confirm --here" });
    }, "confirm");
    const { user } = this.#host.actor;
    await confirmWaiting(this.#host, waiting, proven ? `by ${user}, ${what}` : `by ${user}, with --here: ${what}`);
    return waiting;
  }

  /** Ends what is open, if anything is. */
  async recover({ guard, recovered, observer }: RecoverRequest): Promise<Recovered | undefined> {
    const { lock, deadMan } = this.#host;
    await using _ = guard ? await lockAtDeadline(this.#host) : await lock.acquire("recover");
    const report = await this.#recover({ recovered, observer, force: false });
    if (guard) await deadMan.disarm();
    return report;
  }

  /** Undoes the latest apply not yet undone, or all after a checkpoint. Returns undefined when recovery already did that. */
  async rollback(request: RollbackRequest): Promise<RolledBack | undefined> {
    await using _ = await this.#host.lock.acquire("rollback");
    const { plugins, ledger, journal, actor } = this.#host;
    const [open, waiting] = [journal.pending(), this.#waiting()];
    if (open !== undefined && waiting !== undefined && request.to === undefined) {
      await request.confirmTakingBack(waiting);
      request.recovered(await takeBackWaiting(open, `it was rolled back by ${actor.user} before it was confirmed`, this.#host, request.observer));
      return undefined;
    }
    const report = await this.#recover(request);
    if (request.to === undefined && report !== undefined && didRollBack(report)) return undefined;
    const undoes = appliesToUndo(ledger.checkpoints(), request.to);
    const planned = () => planRollback(undoes, plugins, ledger.ownership());
    const readAt = this.#host.clock.monotonicMs();
    const plan = await planned();
    if (plan.found.problems.length > 0) throw cannotRollBack(plan);
    const moved = [...plan.barred.map(barredLine), ...plan.moved];
    const held = request.confirmWithinMs !== undefined;
    await this.#pass(() => refuse(refusalsOf({ steps: plan.found.steps, rejections: [], force: request.force, held, moved })));
    await request.confirm(plan);
    await this.#guarded(held && plan.found.steps.length > 0, () => this.#pass(() => this.#unmoved(plan.basis, readAt, async () => (await planned()).basis)));
    const header: TransactionHeader = {
      ...this.#header("rollback", { ...plan, steps: plan.found.steps }, plan.found, undefined),
      undoes: undoes.map(({ name }) => name),
      ...this.#holding(request, plan.found.steps),
    };
    await runTransaction({ host: this.#host, header, observer: request.observer }, plan.found.steps);
    return { plan, waiting: heldHeader(header) };
  }

  /** Runs a change of the books alone (ownership, checkpoints), under the lock and after recovery. */
  async change<T>(purpose: string, options: ChangeOptions, work: (host: Host) => Promise<T>): Promise<T> {
    await using _ = await this.#host.lock.acquire(purpose);
    await this.#recover(options);
    return await work(this.#host);
  }

  get host(): Host {
    return this.#host;
  }

  async #planned(source: SourcedDocument, { plugin, prune }: { plugin: string | undefined; prune: boolean }): Promise<Planned> {
    if (plugin !== undefined) pluginOf(this.#host.plugins, plugin);
    const { document, findings } = sealedDocument(restrictTo(source.document, plugin), this.#host);
    if (findings.length > 0) source.reject(findings);
    const planned = await makePlan({ document, prune }, this.#host.plugins, this.#host.ledger.ownership());
    if (planned.findings.length > 0) source.reject(planned.findings);
    return planned;
  }

  async #recover({ recovered, observer }: ChangeOptions): Promise<Recovered | undefined> {
    const waiting = this.#waiting();
    await this.#pass(() => {
      if (waiting !== undefined) throw stillWaiting(waiting, this.#host.clock);
    });
    const report = await recover(this.#host, observer);
    if (report !== undefined) recovered(report);
    return report;
  }

  /** Prepares the guards of what is to be held, and then looks whether it may begin; if not, nobody has to watch over it. */
  async #guarded(held: boolean, look: () => Promise<void>): Promise<void> {
    const { deadMan } = this.#host;
    try {
      if (held) await deadMan.prepare();
      await look();
    } catch (error) {
      if (held) await deadMan.disarm().catch(() => undefined);
      throw error;
    }
  }

  /** What changes nothing on the host has nothing to be taken back. */
  #holding({ confirmWithinMs }: HostChangeOptions, steps: readonly Step[]): Pick<TransactionHeader, "hold"> {
    return confirmWithinMs === undefined || steps.length === 0 ? {} : { hold: holdOf(confirmWithinMs, this.#host.clock) };
  }

  #waiting(): Waiting | undefined {
    const open = this.#host.journal.pending();
    const course = open && courseOf(open, this.#host.clock.bootTime());
    return course?.go === "wait" ? course.waiting : undefined;
  }

  /** Reads again, under the lock that the first reading had too, unless that was only just now. */
  async #unmoved(basis: Basis, readAt: number, again: () => Promise<Basis>): Promise<void> {
    if (this.#host.clock.monotonicMs() - readAt < FRESH_MS) return;
    refuseMoved(whatMoved(basis, await again()), "The host changed while the plan was shown");
  }

  /** A refusal is itself history, where the log can take it. */
  async #pass(gate: () => void | Promise<void>, operation?: string): Promise<void> {
    try {
      await gate();
    } catch (error) {
      if (error instanceof OpError && error.kind === "refused") {
        const detail = [messageOf(error), ...error.details];
        await this.#host.audit.append([{ kind: "refusal", ...(operation === undefined ? {} : { operation }), detail }]).catch(() => undefined);
      }
      throw error;
    }
  }

  #checkSaved(saved: SavedPlan, plan: Plan): void {
    if (this.#host.ledger.isSpent(saved.id)) throw new OpError("refused", "This plan was applied already", { hint: "Make a new one: op-dbus plan --out PLAN" });
    refuseMoved(whatMoved(saved.basis, plan.basis), "The host has moved since the plan was made");
    if (saved.hash !== plan.hash) throw new OpError("refused", "This plan is not the one that was made for this host", { hint: "Make a new one: op-dbus plan --out PLAN" });
  }

  #rejections(hashes: readonly string[]) {
    return hashes.flatMap((hash) => this.#host.ledger.rejection(hash) ?? []);
  }

  #header(
    kind: "apply" | "rollback",
    goal: { document: StateDocument; documentHash: string; desired: Plan["desired"]; steps: readonly Step[] },
    { readings }: Pick<Planned, "readings">,
    planId: string | undefined,
  ): TransactionHeader {
    const { clock, actor, plugins } = this.#host;
    const steps = stepsAsRecorded(goal.steps);
    return {
      id: crypto.randomUUID(),
      kind,
      started: clock.now().toISOString(),
      actor,
      document: goal.document,
      documentHash: goal.documentHash,
      desired: goal.desired,
      before: beforeState(changesByPlugin(steps), goal.desired, plugins),
      identities: identitiesOf(readings),
      steps,
      ...(planId === undefined ? {} : { planId }),
    };
  }
}

function beforeState(changes: ReturnType<typeof changesByPlugin>, desired: Plan["desired"], plugins: readonly Plugin[]) {
  const entries = Object.entries(changes).map(([name, made]) => {
    const policies = policiesOf(pluginOf(plugins, name), desired[name] ?? {});
    return [name, stateOf(made, "before", policies)] as const;
  });
  return Object.fromEntries(entries);
}

function refuseMoved(moved: readonly Moved[], message: string): void {
  if (moved.length === 0) return;
  const details = moved.map(
    ({ resource, what, then, now }) => `${resource} ${what} was ${JSON.stringify(then)}, is ${JSON.stringify(toJson(now))}`,
  );
  throw new OpError("refused", message, { details, hint: "Look at a new plan first" });
}

/** True when recovery did what the user asks of a rollback: it took the interrupted apply back, or ended the rollback asked for before. */
function didRollBack({ kind, ended, booksOnly }: Recovered): boolean {
  return kind === "apply" ? ended === "before-state" && !booksOnly : ended === "desired state";
}

function barredLine({ resource, path, message }: PluginProblem): string {
  return `${[resource, keyName(path)].join(" ").trim()} cannot be brought back and would stay as it is: ${message}`;
}

function cannotRollBack({ found }: RollbackPlan): OpError {
  const details = found.problems.map(({ resource, message }) => `${resource}: ${message}`);
  return new OpError("refused", "This host cannot be brought back to that state", { details });
}
