import { createContext } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import type { Attention, NeedKind } from '../../http/page/attention.js';
import { announceDue } from '../live.js';
import { type Reading, useRead } from '../use-read.js';

/** The view on which each kind of need is settled. */
export const viewOfNeed: Readonly<Record<NeedKind, string>> = {
  message: 'messages',
  dead_job: 'jobs',
  failed_job: 'jobs',
  unread_answer: 'jobs',
  approval: 'relays',
  failed_relay: 'relays',
  failed_schedule: 'schedules',
  failed_task: 'board',
  overdue_task: 'board',
  stale_claim: 'board',
  failed_webhook: 'settings',
  held_breaker: 'breakers',
  spent_budget: 'goals',
};

const subjects = ['task', 'job', 'goal', 'relay', 'breaker', 'message', 'schedule', 'session', 'runtime'];
/** A hidden tab hears of no changes. */
const pollMs = 30_000;
/** Other views than the first can wait a second for their counts. */
const settleMs = 1_000;
const longestWaitMs = 3_600_000;
/** For what comes to need a person without a recorded change, such as a webhook that fails. */
const lookMs = 300_000;

/** What needs a person, read once for the whole page. */
export function useAttention(isFirstView: boolean): Reading<Attention> {
  const options = { subjects, unheardMs: pollMs, ...(isFirstView ? {} : { settleMs }) };
  const reading = useRead<Attention>('page/attention', {}, options);
  useEffect(() => {
    const waitMs = reading.data?.next_in_ms;
    if (waitMs === undefined) return;
    const timer = setTimeout(announceDue, Math.min(longestWaitMs, waitMs + 50));
    return () => clearTimeout(timer);
  }, [reading.data]);
  useEffect(() => {
    const timer = setInterval(reading.reload, lookMs);
    return () => clearInterval(timer);
  }, [reading.reload]);
  return reading;
}

export const AttentionContext = createContext<Reading<Attention>>({
  data: undefined,
  error: undefined,
  reload: () => {},
});

export const useAttentionReading = (): Reading<Attention> => useContext(AttentionContext);

/** How much needs a person, by the view on which it is settled; `now` has all of it. */
export function countsByView(attention: Attention | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (view: string, count: number) => counts.set(view, (counts.get(view) ?? 0) + count);
  for (const { kind, count } of attention?.kinds ?? []) {
    add(viewOfNeed[kind], count);
    add('now', count);
  }
  return counts;
}
