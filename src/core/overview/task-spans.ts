import type { EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import type { TaskRow } from '../tasks/task.js';

/** How a stretch of work ended; `lapsed`: its worker vanished, `released`: it was given back, `waiting`: it has not begun. */
export type SpanState =
  | 'running'
  | 'waiting'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'lapsed'
  | 'released'
  | 'postponed'
  | 'lost';

/** A stretch of work in time, as it was recorded. */
export interface Span {
  /** Whose it is: spans of one lane are drawn in one row. */
  lane: string;
  kind: 'task' | 'job' | 'step';
  /** The number of a task, the id of a job. */
  id: string;
  title: string;
  state: SpanState;
  from: EpochMs;
  /** Null while it runs. */
  to: EpochMs | null;
  /** Counted from 1. */
  attempt: number | null;
  error: string | null;
}

/** What of a task its spans are made of. */
export type TimedTask = Pick<
  TaskRow,
  'id' | 'title' | 'status' | 'claimed_by' | 'worker_id' | 'claim_token' | 'attempts' | 'started_at' | 'completed_at'
> & { error: string | null };

export const timedColumns = `id, substr(title, 1, 160) as title, status, claimed_by, worker_id, claim_token, attempts,
  started_at, completed_at, substr(error, 1, 300) as error`;

/** Who worked on a task, for its lane: its worker, or the holder of its claim. */
export interface Worked {
  worker: string | null;
  holder: string | null;
}

export type TaskSpan = Span & Worked;

/** A task that was tried more often than this many times in all is told from its newest events. */
const mostEvents = 4_000;
const endings = ['completed', 'failed', 'cancelled', 'lapsed', 'released', 'reopened'] as const;
const longestError = 300;

interface ClaimEvent {
  subject_id: string;
  at: EpochMs;
  type: (typeof endings)[number] | 'claimed';
  actor: string | null;
  data: string | null;
}

/**
 * Each claim of these tasks as a span, from the events that recorded it. A task whose events are gone, or that was
 * imported, has one span by the times of its row.
 */
export async function readTaskSpans(sql: Sql, tasks: readonly TimedTask[]): Promise<TaskSpan[]> {
  if (tasks.length === 0) return [];
  const events = await sql.all<ClaimEvent>(
    `select subject_id, at, type, actor, data from events
     where subject = 'task' and subject_id in (${tasks.map(() => '?').join(', ')})
       and type in ('claimed', ${endings.map((type) => `'${type}'`).join(', ')})
     order by id desc limit ?`,
    ...tasks.map(({ id }) => String(id)),
    mostEvents,
  );
  const byTask = new Map<string, ClaimEvent[]>();
  for (const event of events.reverse()) {
    const known = byTask.get(event.subject_id);
    if (known) known.push(event);
    else byTask.set(event.subject_id, [event]);
  }
  return tasks.flatMap((task) => spansOf(task, byTask.get(String(task.id)) ?? []));
}

function spansOf(task: TimedTask, events: readonly ClaimEvent[]): TaskSpan[] {
  const spans: TaskSpan[] = [];
  let open: TaskSpan | undefined;
  for (const { at, type, actor, data: text } of events) {
    const data = text === null ? {} : readJson<JsonObject>(text);
    if (type === 'claimed') {
      const isLast = data.claim_token === task.claim_token;
      open = {
        ...base(task),
        from: at,
        worker: typeof data.worker_id === 'string' ? data.worker_id : isLast ? task.worker_id : null,
        holder: (isLast ? task.claimed_by : null) ?? actor,
        attempt: typeof data.attempt === 'number' ? data.attempt : null,
      };
      spans.push(open);
    } else if (open) {
      open.to = at;
      open.state = type === 'reopened' ? 'released' : type;
      open.error = typeof data.error === 'string' ? cut(data.error, longestError) : null;
      open = undefined;
    }
  }
  if (spans.length > 0 || task.started_at === null) return spans;
  const { status, started_at: from, completed_at: to, worker_id: worker, claimed_by: holder, error } = task;
  // Of a task that is pending again it is not known when its worker stopped.
  if (status === 'pending' || (to === null && status !== 'in_progress')) return [];
  // One that was ended without having been claimed took no time.
  if (to === from) return [];
  const state = status === 'in_progress' ? 'running' : status;
  return [{ ...base(task), state, from, to, worker, holder, error }];
}

const base = ({ id, title }: TimedTask) => ({
  lane: '',
  kind: 'task' as const,
  id: String(id),
  title,
  state: 'running' as SpanState,
  to: null,
  attempt: null,
  error: null,
});
