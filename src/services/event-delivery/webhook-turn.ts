import type { Clock } from '../../base/clock.js';
import type { AddressRule } from '../../base/public-address.js';
import { type EventFilter, failuresUntilDown, kindOf, matching } from '../../core/event-targets/event-target.js';
import type {
  HeldTarget,
  LeasedTargets,
  TurnReport,
  WaitingDelivery,
} from '../../core/event-targets/leased-targets.js';
import { type Event, eventsAfter } from '../../core/events/events.js';
import type { Database } from '../../store/sql.js';
import { type Answer, sendWebhook } from '../../webhooks/send.js';
import { messageOfEvent } from './message.js';
import { longestFailingMs, nextTryMs, pauseMs } from './retry-schedule.js';

export interface TurnNeeds {
  db: Database;
  clock: Clock;
  targets: Pick<LeasedTargets, 'waiting'>;
  rule: AddressRule;
  random(): number;
  /** Whether the lease is still good: nothing is sent from then on. */
  isOurs(): boolean;
  /** Aborts what is being sent. */
  signal: AbortSignal;
}

/** What a turn has found to do. */
export interface Turn {
  /** The last event that was looked at. */
  cursorId: number;
  /** Undefined when nothing was sent. */
  report: TurnReport | undefined;
  /** There may be more to do at once. */
  isMore: boolean;
}

const mostInTurn = 50;
const mostAtOnce = 8;
const pageSize = 500;

/**
 * Sends a webhook what is due: deliveries that wait, and the next events behind `cursorId`, those of one subject one after
 * the other. One that fails is stored with its next try; later ones of its subject do not wait for it. To a receiver that
 * is down one message is sent, to see whether it is back; the events behind stay where they are.
 */
export async function takeWebhookTurn(target: HeldTarget, cursorId: number, needs: TurnNeeds): Promise<Turn> {
  const { db, clock, targets } = needs;
  if ((target.pausedUntil ?? 0) > clock.now()) return { cursorId, report: undefined, isMore: false };
  const isDown = target.failures >= failuresUntilDown;
  const room = isDown ? 1 : mostInTurn;
  const { nextDueAt } = target;
  const isDue = nextDueAt !== null && (isDown || nextDueAt <= clock.now());
  const waiting = isDue ? await targets.waiting(target, room) : [];
  const due = waiting.filter(({ nextAt }) => nextAt <= clock.now());
  const next = await nextEvents(db, target, cursorId, room - due.length);
  const sent = [...due, ...next.events.map(toDelivery)];
  // It is down and nothing is due: what is tried first anyway shows whether it is back.
  if (isDown && sent.length === 0) sent.push(...waiting);
  if (sent.length === 0) return { cursorId: next.cursorId, report: undefined, isMore: next.isMore };
  const course = new Course(target, needs);
  await inLanes(sent, isDown ? 1 : mostAtOnce, (delivery) => course.send(delivery));
  const report = course.report(sent, cursorId, next.cursorId);
  return { cursorId: report.cursorId, report, isMore: report.pausedUntil === null };
}

function toDelivery(event: Event): WaitingDelivery {
  const subject = `${event.subject}:${event.subjectId}`;
  return {
    id: undefined,
    eventId: event.id,
    kind: kindOf(event),
    subject,
    body: messageOfEvent(event),
    attempts: 0,
    nextAt: 0,
  };
}

/** The next events behind a place that a target gets, and the place up to which there are no others. */
export async function nextEvents(
  db: Database,
  filter: EventFilter,
  cursorId: number,
  most: number,
): Promise<{ events: Event[]; cursorId: number; isMore: boolean }> {
  const page = most > 0 ? await eventsAfter(db, cursorId, pageSize) : [];
  const events = (await matching(db, filter, page)).slice(0, most);
  const last = events.length === most ? events.at(-1) : page.at(-1);
  return { events, cursorId: last?.id ?? cursorId, isMore: page.length === pageSize };
}

/** How one turn goes, message by message. */
class Course {
  readonly #target: HeldTarget;
  readonly #needs: TurnNeeds;
  readonly #answers = new Map<WaitingDelivery, Answer>();
  #failures: number;
  #failingSince: number | null;
  #retryAfterMs = 0;
  #lastError: string | null = null;
  #isGone = false;
  #isBack = false;

  constructor(target: HeldTarget, needs: TurnNeeds) {
    this.#target = target;
    this.#needs = needs;
    this.#failures = target.failures;
    this.#failingSince = target.failingSince;
  }

  async send(delivery: WaitingDelivery): Promise<void> {
    const target = this.#target;
    const needs = this.#needs;
    const wasDown = target.failures >= failuresUntilDown;
    const isStopped = this.#isGone || this.#retryAfterMs > 0 || (!wasDown && this.#failures >= failuresUntilDown);
    if (isStopped || !needs.isOurs()) return;
    const message = {
      id: `msg_${target.id}_${delivery.eventId}`,
      timestamp: Math.floor(needs.clock.now() / 1000),
      body: delivery.body,
    };
    const { secrets, url } = target;
    const answer = await sendWebhook(message, { ...needs, secrets, url: url ?? '' });
    this.#answers.set(delivery, answer);
    if (answer.isTaken) {
      this.#isBack ||= wasDown;
      this.#failures = 0;
      this.#failingSince = null;
      return;
    }
    this.#failures++;
    this.#failingSince ??= needs.clock.now();
    this.#lastError = answer.error;
    this.#retryAfterMs = Math.max(this.#retryAfterMs, answer.retryAfterMs ?? 0);
    this.#isGone ||= answer.isGone;
  }

  /**
   * Those that were not sent wait, unless none behind them was: they are read again then.
   *
   * @param from the place before the turn
   * @param to the place when all were sent
   */
  report(all: readonly WaitingDelivery[], from: number, to: number): TurnReport {
    const { clock, random } = this.#needs;
    const now = clock.now();
    const lastSent = all.findLastIndex((one) => this.#answers.has(one));
    const unread = all.slice(lastSent + 1).find(({ id }) => id === undefined);
    const before = all.slice(0, lastSent + 1).findLast(({ id }) => id === undefined);
    const outcomes = all.slice(0, lastSent + 1).map((one) => this.#outcomeOf(one, now));
    const pause = pauseMs(this.#failures, random, this.#retryAfterMs);
    return {
      cursorId: unread ? (before?.eventId ?? from) : to,
      delivered: outcomes.filter(({ status }) => status === 'taken').length,
      taken: outcomes.flatMap(({ status, id }) => (status === 'taken' && id !== undefined ? [id] : [])),
      waiting: outcomes.filter(({ status }) => status === 'waiting'),
      dead: outcomes.filter(({ status }) => status === 'dead'),
      failures: this.#failures,
      failingSince: this.#failingSince,
      pausedUntil: pause > 0 ? now + pause : null,
      lastError: this.#lastError,
      isBack: this.#isBack && this.#failures === 0,
      disabledWhy: this.#disabledWhy(now),
    };
  }

  #outcomeOf(delivery: WaitingDelivery, now: number) {
    const answer = this.#answers.get(delivery);
    if (answer?.isTaken) return { ...delivery, status: 'taken' as const, lastError: null };
    const lastError = answer?.error ?? null;
    // Sent before its time, to see whether the receiver is back; or not at all.
    if (!answer || delivery.nextAt > now) return { ...delivery, status: 'waiting' as const, lastError };
    const attempts = delivery.attempts + 1;
    const pause = nextTryMs(attempts, this.#needs.random, answer.retryAfterMs);
    const status = pause === undefined ? ('dead' as const) : ('waiting' as const);
    return { ...delivery, attempts, nextAt: now + (pause ?? 0), status, lastError };
  }

  #disabledWhy(now: number): string | undefined {
    if (this.#isGone) return 'it answered 410: it wants no more events';
    if (this.#failingSince === null || this.#failures < failuresUntilDown) return undefined;
    const isTooLong = now - this.#failingSince >= longestFailingMs;
    return isTooLong ? `it has taken nothing for ${longestFailingMs / 86_400_000} days: ${this.#lastError}` : undefined;
  }
}

/** Runs `work` for each, those of one subject one after the other, and so many subjects at once. */
async function inLanes(
  deliveries: readonly WaitingDelivery[],
  atOnce: number,
  work: (delivery: WaitingDelivery) => Promise<void>,
): Promise<void> {
  const bySubject = new Map<string, WaitingDelivery[]>();
  for (const delivery of deliveries)
    bySubject.set(delivery.subject, [...(bySubject.get(delivery.subject) ?? []), delivery]);
  const lanes = [...bySubject.values()];
  const workers = Array.from({ length: Math.min(atOnce, lanes.length) }, async () => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) for (const delivery of lane) await work(delivery);
  });
  await Promise.all(workers);
}
