import { restrictTo, type SourcedDocument } from "../core/document.ts";
import { messageOf, OpError } from "../core/errors.ts";
import { equalJson } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import { refusalsOf, refuse } from "./gate.ts";
import { lockAtDeadline } from "./guard.ts";
import { headerOf } from "./header.ts";
import { heldHeader, stillWaiting, type HeldHeader, type Waiting } from "./hold.ts";
import { pluginOf, type Host } from "./host.ts";
import { outcomeOf, type Watch } from "./outcome.ts";
import { makePlan, type Planned } from "./planning.ts";
import { queryAll, type Queried } from "./query.ts";
import { courseOf, recover, takeBackWaiting, type Recovered } from "./recovery.ts";
import type { Applied, ApplyRequest, ChangeOptions, ConfirmRequest, RecoverRequest, RollbackRequest, RolledBack, SavedPlan } from "./requests.ts";
import { appliesToUndo, barredLine, cannotRollBack, didRollBack, planRollback } from "./rollback.ts";
import { sealedDocument, sealedHost } from "./sealed-host.ts";
import { refuseSpent, refuseStale } from "./staleness.ts";
import { confirmWaiting, runTransaction } from "./transaction.ts";

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
      if (saved !== undefined) refuseSpent(saved, plan, this.#host.ledger);
      return reasons;
    } catch (error) {
      return [messageOf(error), ...(error instanceof OpError ? error.details : []), ...reasons];
    }
  }

  async apply(request: ApplyRequest): Promise<Applied> {
    await using _ = await this.#host.lock.acquire("apply");
    await this.#recover(request);
    const { ledger, clock } = this.#host;
    const readAt = clock.monotonicMs();
    const { plan, readings } = await this.#planned(request.source, request);
    await this.#pass(() => {
      if (request.saved !== undefined) refuseSpent(request.saved, plan, ledger);
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
        this.#pass(() => refuseStale(plan.basis, readAt, { clock, again: async () => (await this.#planned(request.source, request)).plan.basis })),
      );
    }
    const header = { ...headerOf("apply", { ...plan, readings }, request, this.#host), ...(request.saved === undefined ? {} : { planId: request.saved.id }) };
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
    const { plugins, ledger, journal, clock, actor } = this.#host;
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
    const readAt = clock.monotonicMs();
    const plan = await planned();
    if (plan.found.problems.length > 0) throw cannotRollBack(plan);
    const moved = [...plan.barred.map(barredLine), ...plan.moved];
    const held = request.confirmWithinMs !== undefined;
    await this.#pass(() => refuse(refusalsOf({ steps: plan.found.steps, rejections: [], force: request.force, held, moved })));
    await request.confirm(plan);
    await this.#guarded(held && plan.found.steps.length > 0, () => this.#pass(() => refuseStale(plan.basis, readAt, { clock, again: async () => (await planned()).basis })));
    const header = { ...headerOf("rollback", { ...plan, ...plan.found, desired: plan.desired }, request, this.#host), undoes: undoes.map(({ name }) => name) };
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

  #waiting(): Waiting | undefined {
    const open = this.#host.journal.pending();
    const course = open && courseOf(open, this.#host.clock.bootTime());
    return course?.go === "wait" ? course.waiting : undefined;
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

  #rejections(hashes: readonly string[]) {
    return hashes.flatMap((hash) => this.#host.ledger.rejection(hash) ?? []);
  }
}
