import type { SinkProcess } from '../../agents/sinks/sink-process.js';
import { messageOf } from '../../base/errors.js';
import type { EventFilter } from '../../core/event-targets/event-target.js';
import type { HeldTarget, TurnReport } from '../../core/event-targets/leased-targets.js';
import { toStreamed } from '../../core/events/streamed-event.js';
import { pauseMs } from './retry-schedule.js';
import { nextEvents, type Turn, type TurnNeeds } from './webhook-turn.js';

export interface SinkTurnNeeds extends Pick<TurnNeeds, 'db' | 'clock' | 'random'> {
  /** Removes secrets from what it says. */
  redact(text: string): string;
  filter: EventFilter;
  sink: Pick<SinkProcess, 'limits' | 'write'>;
}

/** Gives a sink the next batch. A batch that fails is given again after a pause, and none behind it before. */
export async function takeSinkTurn(target: HeldTarget, cursorId: number, needs: SinkTurnNeeds): Promise<Turn> {
  const { db, clock, random, redact, filter, sink } = needs;
  if ((target.pausedUntil ?? 0) > clock.now()) return { cursorId, report: undefined, isMore: false };
  const limits = await sink.limits().catch((reason: unknown) => messageOf(reason));
  const isUsable = typeof limits !== 'string';
  const next = await nextEvents(db, filter, cursorId, isUsable ? limits.batchSize : 1);
  if (next.events.length === 0) return { cursorId: next.cursorId, report: undefined, isMore: next.isMore };
  const problem = isUsable ? await sink.write(next.events.map(toStreamed)) : limits;
  const failures = problem === undefined ? 0 : target.failures + 1;
  const pause = failures === 0 ? 0 : retryPauseMs(failures, random);
  const report: TurnReport = {
    ...nothing,
    cursorId: problem === undefined ? next.cursorId : cursorId,
    delivered: problem === undefined ? next.events.length : 0,
    failures,
    failingSince: problem === undefined ? null : (target.failingSince ?? clock.now()),
    pausedUntil: pause > 0 ? clock.now() + pause : null,
    lastError: problem === undefined ? null : redact(problem),
  };
  return { cursorId: report.cursorId, report, isMore: problem === undefined };
}

const nothing = { taken: [], waiting: [], dead: [], isBack: false, disabledWhy: undefined };

/** From a second to five minutes. */
const retryPauseMs = (failures: number, random: () => number): number =>
  Math.max(pauseMs(failures, random), Math.min(2 ** (failures - 1) * 1_000, 5_000));
