import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochMs } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { deleteOldAcknowledgements } from '../attention/attention.js';
import { closeAccount } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { deleteEndedSession } from '../coordination/sessions.js';
import { purgeableForTargets, purgeDeliveries } from '../event-targets/undelivered.js';
import { recordEvent } from '../events/events.js';
import { purgeEvents } from '../events/purge-events.js';
import { deleteEndedJob } from '../jobs/finish-job.js';
import { deleteEndedRunner } from '../jobs/runners.js';
import { deleteOldMessage, oldMessages } from '../messages/retire-messages.js';
import { deleteEndedPipeline, relayAccount } from '../relay/pipeline.js';
import { deleteEndedGoal, deleteEndedTask } from '../tasks/delete-tasks.js';

/** What a purge deleted. */
export interface Purged {
  goals: number;
  tasks: number;
  jobs: number;
  relays: number;
  events: number;
  sessions: number;
  runners: number;
  messages: number;
  /** Files that belonged to deleted jobs, for the caller to remove. */
  artifactPaths: string[];
}

/** Deletes rows of a cache above the domain that are older than a time. Resolves to their number. */
export type CachePurger = (db: Database, before: EpochMs) => Promise<number>;

/**
 * Deletes goals, tasks, jobs, relays, events, sessions and runners that ended before a time, messages that were sent before
 * it and have reached their readers, and old rows of `caches`. Open
 * work stays, with its history and everything that it depends on, directly or through others; so do the tasks of an active
 * goal. Works in short transactions with pauses between them, so that others hardly notice. It may be interrupted and
 * repeated.
 */
export async function purge(
  db: Database,
  before: EpochMs,
  change: Change,
  caches: readonly CachePurger[] = [],
): Promise<Purged> {
  const artifactPaths: string[] = [];
  const condition = await purgeableForTargets(db, before, change.at);
  const events = await purgeEvents(db, before, pauseMs, condition);
  await purgeDeliveries(db, before);
  for (const purgeCache of caches) await purgeCache(db, before);
  const jobs = await purgeEach(db, endedJobs(before), (sql, id: string) => deleteJob(sql, id, before, artifactPaths));
  const relays = await purgeEach(db, endedRelays(before), (sql, id: string) => deleteRelay(sql, id, before));
  const tasks = await purgeEach(db, endedTasks(before), (sql, id: number) => deleteEndedTask(sql, id, before));
  const goals = await purgeEach(db, endedGoals(before), (sql, id: number) => deleteGoal(sql, id, before));
  const sessions = await purgeEach(db, endedSessions(before), deleteEndedSession);
  const runners = await purgeEach(db, endedRunners(before), deleteEndedRunner);
  const messages = await purgeEach(db, oldMessages(before, change.at), (sql, id: number) =>
    deleteOldMessage(sql, id, before, change.at),
  );
  await db.transaction((sql) => deleteOldAcknowledgements(sql, before));
  const counts = { goals, tasks, jobs, relays, events, sessions, runners, messages };
  const data = { before, ...counts };
  await db.transaction((sql) =>
    recordEvent(sql, { ...change, subject: 'runtime', subjectId: 'board', type: 'purged', data }),
  );
  return { ...counts, artifactPaths };
}

/** What a purge would delete at most: what open work still needs of it stays. */
export type Purgeable = Omit<Purged, 'artifactPaths' | 'events'>;

/** Counts what ended before a time, and may be deleted unless open work depends on it. */
export async function countPurgeable(db: Database, before: EpochMs, now: EpochMs): Promise<Purgeable> {
  const count = async ({ text, values }: Fragment) => {
    const row = await db.get<{ count: number }>(
      `select count(*) as count from (${text.replace(/ order by .*$/, '')}) as found`,
      ...values,
    );
    return row?.count ?? 0;
  };
  return {
    goals: await count(endedGoals(before)),
    tasks: await count(endedTasks(before)),
    jobs: await count(endedJobs(before)),
    relays: await count(endedRelays(before)),
    sessions: await count(endedSessions(before)),
    runners: await count(endedRunners(before)),
    messages: await count(oldMessages(before, now)),
  };
}

/** Rows of one transaction: some milliseconds of the write lock. */
const batchSize = 200;

/** Long enough for a waiting writer to take the write lock. */
const pauseMs = 2;

/**
 * Passes each candidate to `deleteOne`, which checks it again, as it may have changed since it was read. Newest first:
 * dependents are mostly younger than what they depend on, so a chain is deleted in one pass.
 */
async function purgeEach<Id extends string | number>(
  db: Database,
  { text, values }: Fragment,
  deleteOne: (sql: Sql, id: Id) => Promise<number>,
): Promise<number> {
  const candidates = await db.all<{ id: Id }>(text, ...values);
  let deleted = 0;
  for (let start = 0; start < candidates.length; start += batchSize) {
    await db.transaction(async (sql) => {
      for (const { id } of candidates.slice(start, start + batchSize)) deleted += await deleteOne(sql, id);
    });
    await sleep(pauseMs);
  }
  return deleted;
}

const hasEnded = "status in ('completed', 'failed', 'cancelled') and coalesce(completed_at, updated_at) < ?";

const endedTasks = (before: EpochMs): Fragment => ({
  text: `select id from tasks where ${hasEnded} order by id desc`,
  values: [before],
});

const endedJobs = (before: EpochMs): Fragment => ({
  text: `select id from jobs where ${hasEnded} order by seq desc`,
  values: [before],
});

async function deleteJob(sql: Sql, id: string, before: EpochMs, artifactPaths: string[]): Promise<number> {
  const paths = await deleteEndedJob(sql, id, before);
  if (paths === undefined) return 0;
  artifactPaths.push(...paths);
  await closeAccount(sql, `job:${id}`);
  return 1;
}

const endedRelays = (before: EpochMs): Fragment => ({
  text: `select id from relay_pipelines where ${hasEnded} order by seq desc`,
  values: [before],
});

async function deleteRelay(sql: Sql, id: string, before: EpochMs): Promise<number> {
  const deleted = await deleteEndedPipeline(sql, id, before);
  if (deleted > 0) await closeAccount(sql, relayAccount(id));
  return deleted;
}

const endedGoals = (before: EpochMs): Fragment => ({
  text: `select id from goals where ${hasEnded} order by id desc`,
  values: [before],
});

async function deleteGoal(sql: Sql, id: number, before: EpochMs): Promise<number> {
  const deleted = await deleteEndedGoal(sql, id, before);
  if (deleted > 0) await closeAccount(sql, `goal:${id}`);
  return deleted;
}

const endedSessions = (before: EpochMs): Fragment => ({
  text: 'select id from sessions where ended_at < ?',
  values: [before],
});

const endedRunners = (before: EpochMs): Fragment => ({
  text: `select id from runners where ended_at < ?
    and id not in (select runner_id from jobs where runner_id is not null)`,
  values: [before],
});
