import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import { matchesPattern, nearest } from '../../base/text.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { eventKinds } from '../events/event-types.js';
import { newestEventId, recordEvent } from '../events/events.js';
import { disabledByHand, type EventFilter, type EventTarget, type TargetRow, toTarget } from './event-target.js';

export interface NewWebhook extends EventFilter {
  /** Up to 60 letters, digits and . - _ */
  name: string;
  url: string;
  secret: string;
}

/** A delivery that was not taken at once: `waiting` for its next try, or `dead` after the last one. */
export interface FailedDelivery {
  id: number;
  webhook: string;
  eventId: number;
  kind: string;
  /** Such as `task:8`. */
  subject: string;
  status: 'waiting' | 'dead';
  attempts: number;
  /** When it is tried again; of a dead one, when it was last. */
  nextAt: EpochMs;
  lastError: string | null;
  createdAt: EpochMs;
}

/** The events of webhooks stand with those of the runtime. */
export const webhookSubject = { subject: 'runtime', subjectId: 'webhooks' } as const;

/** How long the old secret of a webhook signs beside the new one. */
export const oldSecretMs = 24 * 3_600_000;

const mostTargets = 100;

export type EventTargets = ReturnType<typeof createEventTargets>;

/** Webhooks as people manage them, and what they have not taken. */
export function createEventTargets({ db, clock }: { db: Database; clock: Clock }) {
  const change = (actor: Actor) => ({ at: clock.now(), actor });
  return {
    /** Adds a webhook, which gets the events from now on. Throws `invalid` for a wrong name or pattern, `conflict` for a name in use. */
    async add({ name, url, secret, events, project, goalId }: NewWebhook, actor: Actor): Promise<EventTarget> {
      requireName(name);
      const wrong = patternProblem(events);
      if (wrong) throw wrong;
      const cursor = await newestEventId(db);
      return db.transaction(async (sql) => {
        if (goalId !== null && !(await sql.get('select 1 from goals where id = ?', goalId))) {
          throw new RuntimeError('not_found', `No goal has id ${goalId}.`, '`agent-runtime goals` lists them.');
        }
        const known = await sql.all<{ name: string }>('select name from event_targets');
        if (known.some((one) => one.name === name)) {
          throw new RuntimeError(
            'conflict',
            `There is a webhook ${name} already.`,
            'Choose another name, or remove it.',
          );
        }
        if (known.length >= mostTargets)
          throw new RuntimeError('conflict', `There are ${mostTargets} webhooks already.`, 'Remove one first.');
        const at = clock.now();
        const row = await insertRow<TargetRow>(sql, 'event_targets', {
          id: newShortId(),
          kind: 'webhook',
          name,
          url,
          secret,
          events: JSON.stringify(events),
          project,
          goal_id: goalId,
          cursor_id: cursor,
          created_at: at,
          updated_at: at,
        });
        const data = { name, host: new URL(url).host, events: [...events] };
        await recordEvent(sql, { ...change(actor), ...webhookSubject, type: 'webhook_added', data });
        return toTarget(row);
      });
    },

    /** Makes the rows of the sinks that a config file names, each from now on. */
    async addSinks(names: readonly string[]): Promise<void> {
      const known = await db.all<{ name: string }>("select name from event_targets where kind = 'sink'");
      for (const name of names.filter((one) => !known.some((row) => row.name === one))) {
        const cursor = await newestEventId(db);
        const at = clock.now();
        await db.transaction((sql) =>
          sql.run(
            `insert into event_targets (id, kind, name, events, cursor_id, created_at, updated_at)
             values (?, 'sink', ?, '["*"]', ?, ?, ?) on conflict (kind, name) do nothing`,
            newShortId(),
            name,
            cursor,
            at,
            at,
          ),
        );
      }
    },

    async list(): Promise<EventTarget[]> {
      return (await db.all<TargetRow>('select * from event_targets order by kind desc, name')).map(toTarget);
    },

    find: async (name: string): Promise<EventTarget> => toTarget(await requireTarget(db, name)),

    /** What signs the messages of a webhook now, the newest first. */
    async secrets(name: string): Promise<string[]> {
      return secretsOf(await requireTarget(db, name, 'webhook'), clock.now());
    },

    /** Removes a webhook, or what is known of a sink, with what waits for it. Throws `not_found`. */
    remove: (name: string, actor: Actor): Promise<EventTarget> =>
      db.transaction(async (sql) => {
        const row = await requireTarget(sql, name);
        await sql.run('delete from event_targets where id = ?', row.id);
        const data = { name, kind: row.kind };
        await recordEvent(sql, { ...change(actor), ...webhookSubject, type: 'webhook_removed', data });
        return toTarget(row);
      }),

    /**
     * Sends to a webhook again that was disabled: what has waited, and the events since, as far as they are there; with
     * `isFromNow` the events from now on. Throws `not_found`.
     */
    async enable(name: string, isFromNow: boolean, actor: Actor): Promise<EventTarget> {
      const newest = await newestEventId(db);
      return db.transaction(async (sql) => {
        const row = await requireTarget(sql, name);
        const at = clock.now();
        await sql.run(
          `update event_targets set status = 'active', disabled_why = null, failures = 0, failing_since = null,
             paused_until = null, cursor_id = ?, updated_at = ? where id = ?`,
          isFromNow ? newest : row.cursor_id,
          at,
          row.id,
        );
        if (isFromNow) await sql.run("delete from event_deliveries where target_id = ? and status = 'waiting'", row.id);
        else await sendWaiting(sql, row.id, at);
        await recordEvent(sql, { ...change(actor), ...webhookSubject, type: 'webhook_enabled', data: { name } });
        return toTarget(await requireTarget(sql, name));
      });
    },

    /** Sends nothing to it until it is enabled. Throws `not_found`. */
    disable: (name: string, actor: Actor): Promise<EventTarget> =>
      db.transaction(async (sql) => {
        const row = await requireTarget(sql, name);
        await disableTarget(sql, row, disabledByHand, { at: clock.now(), actor });
        return toTarget(await requireTarget(sql, name));
      }),

    /** Gives a webhook a new secret; the old one signs beside it for a day. Throws `not_found`. */
    rotate: (name: string, secret: string): Promise<EventTarget> =>
      db.transaction(async (sql) => {
        const row = await requireTarget(sql, name, 'webhook');
        const at = clock.now();
        await sql.run(
          'update event_targets set old_secret = secret, old_secret_until = ?, secret = ?, updated_at = ? where id = ?',
          at + oldSecretMs,
          secret,
          at,
          row.id,
        );
        return toTarget(row);
      }),

    /** What was not taken, the newest first, of one webhook or of all. Throws `not_found`. */
    async failed(name: string | undefined, limit: number): Promise<FailedDelivery[]> {
      const target = name === undefined ? undefined : await requireTarget(db, name, 'webhook');
      const rows = await db.all<DeliveryRow & { name: string }>(
        `select d.*, t.name from event_deliveries d join event_targets t on t.id = d.target_id
         ${target ? 'where d.target_id = ?' : ''} order by d.id desc limit ?`,
        ...(target ? [target.id] : []),
        limit,
      );
      return rows.map((row) => ({
        id: row.id,
        webhook: row.name,
        eventId: row.event_id,
        kind: row.kind,
        subject: row.subject,
        status: row.status,
        attempts: row.attempts,
        nextAt: row.next_at,
        lastError: row.last_error,
        createdAt: row.created_at,
      }));
    },

    /** Sends deliveries again at once, with all of their tries: those with these ids, or all of a webhook. Resolves to their number. */
    resend: (which: { ids: readonly number[] } | { name: string }): Promise<number> =>
      db.transaction(async (sql) => {
        const again = "update event_deliveries set status = 'waiting', attempts = 0, next_at = ?, updated_at = ? where";
        const at = clock.now();
        if ('name' in which) {
          const { id } = await requireTarget(sql, which.name, 'webhook');
          return sql.run(`${again} target_id = ?`, at, at, id);
        }
        const marks = which.ids.map(() => '?').join(', ');
        const found = await sql.all<{ id: number }>(
          `select id from event_deliveries where id in (${marks})`,
          ...which.ids,
        );
        const missing = which.ids.find((id) => !found.some((row) => row.id === id));
        if (missing !== undefined)
          throw new RuntimeError(
            'not_found',
            `No failed delivery has id ${missing}.`,
            '`agent-runtime webhooks failed` lists them.',
          );
        return sql.run(`${again} id in (${marks})`, at, at, ...which.ids);
      }),
  };
}

export interface DeliveryRow {
  id: number;
  target_id: string;
  event_id: number;
  kind: string;
  subject: string;
  body: string;
  status: 'waiting' | 'dead';
  attempts: number;
  next_at: EpochMs;
  last_error: string | null;
  created_at: EpochMs;
}

export const secretsOf = (
  row: Pick<TargetRow, 'secret' | 'old_secret' | 'old_secret_until'>,
  now: EpochMs,
): string[] => [
  ...(row.secret === null ? [] : [row.secret]),
  ...(row.old_secret !== null && (row.old_secret_until ?? 0) > now ? [row.old_secret] : []),
];

/** Puts a target out of use, with a notice of why. */
export async function disableTarget(
  sql: Sql,
  { id, name, kind }: Pick<TargetRow, 'id' | 'name' | 'kind'>,
  why: string,
  change: { at: EpochMs; actor?: Actor },
): Promise<void> {
  await sql.run(
    `update event_targets set status = 'disabled', disabled_why = ?, lease_token = null, updated_at = ? where id = ?`,
    why,
    change.at,
    id,
  );
  await recordEvent(sql, { ...change, ...webhookSubject, type: 'webhook_disabled', data: { name, kind, why } });
}

/** What waits for a target is due at once. */
export const sendWaiting = (sql: Sql, id: string, at: EpochMs): Promise<void> =>
  sql.send(
    "update event_deliveries set next_at = ? where target_id = ? and status = 'waiting' and next_at > ?",
    at,
    id,
    at,
  );

async function requireTarget(sql: Pick<Sql, 'get' | 'all'>, name: string, kind?: 'webhook'): Promise<TargetRow> {
  // Names of webhooks come first, should a sink have the same.
  const row = await sql.get<TargetRow>('select * from event_targets where name = ? order by kind desc limit 1', name);
  if (row && (kind === undefined || row.kind === kind)) return row;
  const known = await sql.all<{ name: string }>('select name from event_targets');
  const near = nearest(
    name,
    known.map((one) => one.name),
  );
  const meant = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
  throw new RuntimeError(
    'not_found',
    row ? `${name} is a sink.` : `There is no webhook ${JSON.stringify(name)}.`,
    `${meant}\`agent-runtime webhooks list\` shows them.`,
  );
}

function requireName(name: string): void {
  if (/^[\w.-]{1,60}$/.test(name)) return;
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(name)} is not the name of a webhook.`,
    'Use up to 60 letters, digits, dots, hyphens and underscores.',
  );
}

/** What is wrong with patterns of kinds: one that no kind of event meets is most likely a misspelt one. */
export function patternProblem(patterns: readonly string[]): RuntimeError | undefined {
  const wrong = patterns.find((pattern) => !eventKinds.some((kind) => matchesPattern(pattern, kind)));
  if (wrong === undefined) return undefined;
  const near = nearest(wrong, eventKinds);
  return new RuntimeError(
    'invalid',
    `No kind of event matches ${JSON.stringify(wrong)}.`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Write a kind such as task.completed, job.* or *.failed.',
  );
}
