import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Sql, Value } from '../../store/sql.js';
import type { Change } from '../change.js';
import { deleteEndedSession } from '../coordination/sessions.js';
import { recordEvent } from '../events/events.js';
import { deleteEndedJob } from '../jobs/finish-job.js';
import { deleteEndedRunner } from '../jobs/runners.js';
import { relayAccount } from '../relay/relay-budget.js';
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
  /** Files that belonged to deleted jobs, for the caller to remove. */
  artifactPaths: string[];
}

/**
 * Deletes what ended before a time (epoch milliseconds): goals, tasks, jobs, relays, events, sessions, runners. Open work stays,
 * and with it its history and all that it depends on, directly or through others; so do the tasks of an active goal.
 * Works in short transactions with pauses between them, so that others hardly notice; may be interrupted and repeated.
 */
export async function purge(db: Database, before: number, change: Change): Promise<Purged> {
  const artifactPaths: string[] = [];
  const events = await purgeEvents(db, before);
  await db.run('delete from native_answers where at < ?', before);
  const jobs = await purgeEach(db, endedJobs(before), (sql, id: string) => deleteJob(sql, id, before, artifactPaths));
  const relays = await purgeEach(db, endedRelays(before), (sql, id: string) => deleteRelay(sql, id, before));
  const tasks = await purgeEach(db, endedTasks(before), (sql, id: number) => deleteEndedTask(sql, id, before));
  const goals = await purgeEach(db, endedGoals(before), (sql, id: number) => deleteGoal(sql, id, before));
  const sessions = await purgeEach(db, endedSessions(before), deleteEndedSession);
  const runners = await purgeEach(db, endedRunners(before), deleteEndedRunner);
  const counts = { goals, tasks, jobs, relays, events, sessions, runners };
  await db.transaction((sql) =>
    recordEvent(sql, {
      ...change,
      subject: 'runtime',
      subjectId: 'board',
      type: 'purged',
      data: { before, ...counts },
    }),
  );
  return { ...counts, artifactPaths };
}

/** Rows of one transaction: some milliseconds of the write lock. */
const batchSize = 200;

/** Long enough for whoever waits for the write lock to take it. */
const pauseMs = 2;

interface Candidates {
  text: string;
  values: Value[];
}

/**
 * Offers each candidate to `deleteOne`, which checks again, as the world goes on since they were read. Newest first:
 * what depends on others is mostly younger, and a chain is gone in one pass.
 */
async function purgeEach<Id extends string | number>(
  db: Database,
  { text, values }: Candidates,
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

const endedTasks = (before: number): Candidates => ({
  text: `select id from tasks where ${hasEnded} order by id desc`,
  values: [before],
});

const endedJobs = (before: number): Candidates => ({
  text: `select id from jobs where ${hasEnded} order by seq desc`,
  values: [before],
});

async function deleteJob(sql: Sql, id: string, before: number, artifactPaths: string[]): Promise<number> {
  const paths = await deleteEndedJob(sql, id, before);
  if (paths === undefined) return 0;
  artifactPaths.push(...paths);
  await closeAccount(sql, `job:${id}`);
  return 1;
}

const endedRelays = (before: number): Candidates => ({
  text: `select id from relay_pipelines where ${hasEnded} order by seq desc`,
  values: [before],
});

async function deleteRelay(sql: Sql, id: string, before: number): Promise<number> {
  const deleted = await sql.run(`delete from relay_pipelines where id = ? and ${hasEnded}`, id, before);
  if (deleted > 0) await closeAccount(sql, relayAccount(id));
  return deleted;
}

const endedGoals = (before: number): Candidates => ({
  text: `select id from goals where ${hasEnded} order by id desc`,
  values: [before],
});

async function deleteGoal(sql: Sql, id: number, before: number): Promise<number> {
  const deleted = await deleteEndedGoal(sql, id, before);
  if (deleted > 0) await closeAccount(sql, `goal:${id}`);
  return deleted;
}

async function closeAccount(sql: Sql, account: string): Promise<void> {
  await sql.run('delete from budgets where account = ?', account);
}

const endedSessions = (before: number): Candidates => ({
  text: 'select id from sessions where ended_at < ?',
  values: [before],
});

const endedRunners = (before: number): Candidates => ({
  text: `select id from runners where ended_at < ?
    and id not in (select runner_id from jobs where runner_id is not null)`,
  values: [before],
});

/** The log is cut by ranges of ids; what it tells of open work stays, however old. */
async function purgeEvents(db: Database, before: number): Promise<number> {
  const ends = await db.get<{ first: number | null; last: number | null }>(
    'select min(id) as first, max(id) as last from events where at < ?',
    before,
  );
  const last = ends?.last ?? 0;
  let deleted = 0;
  for (let from = ends?.first ?? 1; from <= last; from += eventRange) {
    const to = Math.min(from + eventRange - 1, last);
    deleted += await db.run(deleteEvents, from, to, before);
    await sleep(pauseMs);
  }
  return deleted;
}

const eventRange = 2_000;

const deleteEvents = `delete from events where id between ? and ? and at < ?
  and not exists (select 1 from tasks t where t.status in ('pending', 'in_progress')
    and t.id = case when subject = 'task' then cast(subject_id as integer) end)
  and not exists (select 1 from goals g where g.status = 'active'
    and g.id = case when subject = 'goal' then cast(subject_id as integer) end)
  and not exists (select 1 from jobs j where j.status in ('pending', 'running')
    and j.id = case when subject = 'job' then subject_id end)
  and not exists (select 1 from relay_pipelines p where p.status in ('pending', 'in_progress')
    and p.id = case when subject = 'relay' then subject_id end)`;
