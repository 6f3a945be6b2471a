import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';

/** Of times in seconds: half of them, and nine of ten, were no longer than this. */
export interface Spread {
  median: number;
  p90: number;
}

/** The completed tasks of a worker or a goal. */
export interface TaskGroup {
  completed: number;
  /** From the first start to the end. */
  cycle: Spread;
  /** From the creation to the first start, what it depended on included. */
  waiting: Spread;
}

/** The tasks that ended in a window of time. */
export interface TaskFigures {
  completed: number;
  failed: number;
  cancelled: number;
  /** Of those that completed; null when none did. */
  cycle: Spread | null;
  waiting: Spread | null;
  /** Those with most completed tasks first, a few of them. A worker without a name is called by its session. */
  workers: (TaskGroup & { worker: string })[];
  goals: (TaskGroup & { goalId: number; name: string })[];
}

const mostGroups = 5;

/**
 * Sums up the tasks that ended after `from`, up to `to` included. The times of many tasks are counted in buckets 5 % wide,
 * so that a window with 100,000 of them is read in one pass of an index; few times are exact.
 */
export async function readTaskFigures(sql: Sql, { from, to }: { from: EpochMs; to: EpochMs }): Promise<TaskFigures> {
  const window = [from, to] as const;
  const ended = await sql.all<{ status: string; count: number }>(endedTasks, ...window);
  const countOf = (status: string) => ended.find((row) => row.status === status)?.count ?? 0;
  const read = async (name: string) => ({
    cycle: groupsOf(await sql.all<Bucket>(bucketsOf(name, cycle), ...window)),
    waiting: groupsOf(await sql.all<Bucket>(bucketsOf(name, waiting), ...window)),
  });
  const byWorker = await read(workerName);
  const byGoal = await read('goal_id');
  const all = [...byWorker.cycle.values()].flat();
  return {
    completed: countOf('completed'),
    failed: countOf('failed'),
    cancelled: countOf('cancelled'),
    cycle: all.length === 0 ? null : spreadOf(all),
    waiting: all.length === 0 ? null : spreadOf([...byWorker.waiting.values()].flat()),
    workers: largest(byWorker).map(({ name, ...group }) => ({ worker: String(name), ...group })),
    goals: await withNames(sql, largest(byGoal)),
  };
}

/** The index that it reads is of ended tasks, and SQLite takes it only where this is said in these words. */
const ofWindow = "status in ('completed', 'failed', 'cancelled') and completed_at > ? and completed_at <= ?";

const endedTasks = `select status, count(*) as count from tasks where ${ofWindow} group by status`;

const cycle = 'completed_at - started_at';
const waiting = 'started_at - created_at';

/** Each background job is a worker of its own, so that their names would tell nothing. */
const workerName = "coalesce(worker_id, case when claimed_by like 'job:%' then 'background' else claimed_by end)";

/** Some times of the tasks of one name, from the shortest to the longest of them. */
interface Bucket extends Times {
  name: string | number | null;
}

/** Some times that are about as long. */
export interface Times {
  count: number;
  /** Milliseconds. */
  shortest: number;
  longest: number;
}

/** A clock that was set back makes times negative; they count as none. */
const bucketsOf = (name: string, time: string): string => `
  select name, floor(20 * ln(1 + ms)) as bucket, count(*) as count, min(ms) as shortest, max(ms) as longest
  from (
    select ${name} as name, case when ${time} > 0 then ${time} else 0 end as ms
    from tasks where ${ofWindow} and status = 'completed' and started_at is not null
  ) as timed
  group by name, bucket`;

type Groups = ReadonlyMap<Bucket['name'], Bucket[]>;

function groupsOf(buckets: readonly Bucket[]): Groups {
  const groups = new Map<Bucket['name'], Bucket[]>();
  for (const bucket of buckets) {
    const group = groups.get(bucket.name);
    if (group) group.push(bucket);
    else groups.set(bucket.name, [bucket]);
  }
  return groups;
}

type NamedGroup = TaskGroup & { name: string | number };

function largest({ cycle, waiting }: { cycle: Groups; waiting: Groups }): NamedGroup[] {
  return [...cycle]
    .flatMap(([name, times]) => (name === null ? [] : [{ name, times, completed: countIn(times) }]))
    .sort((a, b) => b.completed - a.completed || (a.name < b.name ? -1 : 1))
    .slice(0, mostGroups)
    .map(({ name, times, completed }) => ({
      name,
      completed,
      cycle: spreadOf(times),
      waiting: spreadOf(waiting.get(name) ?? times),
    }));
}

const countIn = (times: readonly Times[]): number => times.reduce((sum, { count }) => sum + count, 0);

const spreadOf = (times: readonly Times[]): Spread => ({
  median: percentileOf(times, 0.5),
  p90: percentileOf(times, 0.9),
});

/** In seconds, the time that this fraction of them do not exceed (nearest rank). */
export function percentileOf(times: readonly Times[], fraction: number): number {
  const sorted = [...times].sort((a, b) => a.shortest - b.shortest);
  return timeAt(sorted, Math.ceil(countIn(times) * fraction)) / 1000;
}

/** The time at a rank, counted from 1 (nearest rank). Within a bucket the times are taken to lie at equal distances. */
function timeAt(sorted: readonly Times[], rank: number): number {
  let before = 0;
  for (const { count, shortest, longest } of sorted) {
    if (before + count >= rank) return shortest + ((longest - shortest) * (rank - before - 1)) / Math.max(1, count - 1);
    before += count;
  }
  return 0;
}

async function withNames(sql: Sql, groups: readonly NamedGroup[]): Promise<TaskFigures['goals']> {
  const named: TaskFigures['goals'] = [];
  for (const { name: id, ...group } of groups) {
    const goal = await sql.get<{ name: string }>('select name from goals where id = ?', Number(id));
    named.push({ goalId: Number(id), name: goal?.name ?? '', ...group });
  }
  return named;
}
