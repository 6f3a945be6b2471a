import { setTimeout as sleep } from 'node:timers/promises';
import { SinkProcess, type SinkSetting } from '../../agents/sinks/sink-process.js';
import type { Clock } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import { type AddressRule, addressRule } from '../../base/public-address.js';
import type { EventTargets } from '../../core/event-targets/event-targets.js';
import {
  type HeldTarget,
  type LeasedTargets,
  type TargetLease,
  targetLeaseMs,
} from '../../core/event-targets/leased-targets.js';
import type { Database } from '../../store/sql.js';
import { takeSinkTurn } from './sink-turn.js';
import { type Turn, takeWebhookTurn } from './webhook-turn.js';

export interface DeliveryNeeds {
  lease: TargetLease;
  db: Database;
  clock: Clock;
  log: Log;
  /** Removes secrets from what a sink says. */
  redact(text: string): string;
  targets: LeasedTargets;
  eventTargets: Pick<EventTargets, 'addSinks'>;
  /** Hosts, addresses and networks that webhooks may reach although they are private. */
  allowPrivate: readonly string[];
  random(): number;
  /** By name. */
  sinks: ReadonlyMap<string, SinkSetting>;
  /** Path of the bundled `agent-host`. */
  hostEntry: string;
}

/** Other processes write too, so events are polled for. */
const pollMs = 300;
const renewMs = targetLeaseMs / 3;

/** Serves one target for as long as this process has its lease. */
export class TargetDelivery {
  readonly #needs: DeliveryNeeds;
  readonly #rule: AddressRule;
  readonly #stopping = new AbortController();
  /** On the monotonic clock: then another process may have the lease. */
  #goodUntil: number;
  /** The last event that was dealt with. */
  #cursorId: number | undefined;
  #placeNotedAt = 0;
  #sink: SinkProcess | undefined;

  constructor(needs: DeliveryNeeds) {
    this.#needs = needs;
    this.#rule = addressRule(needs.allowPrivate);
    this.#goodUntil = needs.clock.tick() + targetLeaseMs;
  }

  /** Resolves when the lease is lost or given up, or the target wants no more. Rejects when the database cannot be used. */
  async run(): Promise<void> {
    const { targets, lease } = this.#needs;
    const renewing = setInterval(() => void this.#renew(), renewMs).unref();
    try {
      while (this.#isOurs()) {
        const target = await targets.held(lease);
        if (!target) return;
        const turn = await this.#takeTurn(target, this.#cursorId ?? target.cursorId);
        if (turn.report && !(await targets.settle(lease, turn.report))) return;
        this.#cursorId = turn.cursorId;
        if (!turn.report && turn.cursorId !== target.cursorId) await this.#notePlace(turn.cursorId);
        if (!turn.isMore) await sleep(pollMs, undefined, { ref: false, signal: this.#stopping.signal });
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    } finally {
      clearInterval(renewing);
      this.stop();
    }
  }

  /** Sends nothing more, and breaks off what is being sent: it was not taken, as far as this one knows. */
  stop(): void {
    this.#stopping.abort();
    this.#sink?.close();
    this.#sink = undefined;
  }

  #takeTurn(target: HeldTarget, cursorId: number): Promise<Turn> {
    const { db, clock, targets, random, redact, sinks } = this.#needs;
    const sink = sinks.get(target.name);
    if (target.kind === 'sink') {
      if (!sink) throw new Error(`The sink ${target.name} is not configured here.`);
      const { filter } = sink;
      return takeSinkTurn(target, cursorId, { db, clock, random, redact, filter, sink: this.#sinkProcess(sink) });
    }
    const isOurs = () => this.#isOurs();
    return takeWebhookTurn(target, cursorId, {
      db,
      clock,
      targets,
      rule: this.#rule,
      random,
      isOurs,
      signal: this.#stopping.signal,
    });
  }

  #sinkProcess({ module, env }: SinkSetting): SinkProcess {
    const { lease, log, hostEntry } = this.#needs;
    if (!this.#sink || this.#sink.isOver)
      this.#sink = new SinkProcess({ name: lease.name, module, env, entry: hostEntry, log });
    return this.#sink;
  }

  /** A process that was stopped for longer than its lease must not go on as if it had it. */
  #isOurs(): boolean {
    return !this.#stopping.signal.aborted && this.#needs.clock.tick() < this.#goodUntil;
  }

  /** Where only events of no interest have come, the place is written now and then. */
  async #notePlace(cursorId: number): Promise<void> {
    const { clock, targets, lease } = this.#needs;
    if (clock.tick() < this.#placeNotedAt + renewMs) return;
    this.#placeNotedAt = clock.tick();
    if (!(await targets.renew(lease, cursorId))) this.stop();
  }

  async #renew(): Promise<void> {
    const { clock, targets, lease, log } = this.#needs;
    const at = clock.tick();
    try {
      if (!(await targets.renew(lease))) this.stop();
      else this.#goodUntil = at + targetLeaseMs;
    } catch (error) {
      if (!this.#isOurs()) this.stop();
      else log.debug('the lease of a target could not be renewed', { target: lease.name, error });
    }
  }
}
