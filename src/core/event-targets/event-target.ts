import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { matchesPattern } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import type { Event } from '../events/events.js';
import { ofGoal } from '../events/of-goal.js';

/** Which events go somewhere. */
export interface EventFilter {
  /** Patterns of kinds such as `task.completed`, in which `*` stands for any text; one of them must match. */
  events: readonly string[];
  /** Of this project alone; null for all. */
  project: string | null;
  /** Of this goal, its tasks and its jobs alone; null for all. */
  goalId: number | null;
}

/** So many failures in a row, and a target is taken to be down. */
export const failuresUntilDown = 5;

/** Why a target is disabled that somebody has disabled. */
export const disabledByHand = 'by hand';

/** Where events go: a webhook, or a sink of the user's own. Its secrets are not part of it. */
export interface EventTarget extends EventFilter {
  id: string;
  kind: 'webhook' | 'sink';
  name: string;
  /** Null for a sink. */
  url: string | null;
  status: 'active' | 'disabled';
  disabledWhy: string | null;
  /** The id of the last event that was dealt with. */
  cursorId: number;
  delivered: number;
  /** Events that were purged before it could get them. */
  lost: number;
  /** Deliveries in a row that have failed, and since when. */
  failures: number;
  failingSince: EpochMs | null;
  /** Nothing is sent before. */
  pausedUntil: EpochMs | null;
  lastError: string | null;
  lastDeliveredAt: EpochMs | null;
  createdAt: EpochMs;
}

export interface TargetRow {
  id: string;
  kind: EventTarget['kind'];
  name: string;
  url: string | null;
  secret: string | null;
  old_secret: string | null;
  old_secret_until: EpochMs | null;
  events: string;
  project: string | null;
  goal_id: number | null;
  status: EventTarget['status'];
  disabled_why: string | null;
  cursor_id: number;
  delivered: number;
  lost: number;
  failures: number;
  failing_since: EpochMs | null;
  paused_until: EpochMs | null;
  last_error: string | null;
  last_delivered_at: EpochMs | null;
  lease_token: string | null;
  created_at: EpochMs;
}

export const toTarget = (row: TargetRow): EventTarget => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  url: row.url,
  events: readJson<string[]>(row.events),
  project: row.project,
  goalId: row.goal_id,
  status: row.status,
  disabledWhy: row.disabled_why,
  cursorId: row.cursor_id,
  delivered: row.delivered,
  lost: row.lost,
  failures: row.failures,
  failingSince: row.failing_since,
  pausedUntil: row.paused_until,
  lastError: row.last_error,
  lastDeliveredAt: row.last_delivered_at,
  createdAt: row.created_at,
});

/** The kind of an event, as patterns name it. */
export const kindOf = ({ subject, type }: Pick<Event, 'subject' | 'type'>): string => `${subject}.${type}`;

/** Those of the events that meet a filter, in their order. */
export async function matching(
  sql: Pick<Sql, 'all'>,
  { events: patterns, project, goalId }: EventFilter,
  events: readonly Event[],
): Promise<Event[]> {
  const found = events.filter(
    (event) =>
      (project === null || event.project === project) &&
      patterns.some((pattern) => matchesPattern(pattern, kindOf(event))),
  );
  if (goalId === null || found.length === 0) return found;
  const { text, values } = ofGoal(goalId);
  const rows = await sql.all<{ id: number }>(
    `select id from events where id in (${found.map(() => '?').join(', ')}) and ${text}`,
    ...found.map(({ id }) => id),
    ...values,
  );
  const ids = new Set(rows.map(({ id }) => id));
  return found.filter(({ id }) => ids.has(id));
}
