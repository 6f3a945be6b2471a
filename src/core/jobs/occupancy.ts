import type { Sql, Value } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import type { JobRow } from './job.js';

/** What of a job says beside which others it may run. */
export type Limited = Pick<JobRow, 'type' | 'concurrency' | 'concurrency_key' | 'concurrency_limit'>;

/** Jobs of one type, or with one concurrency key, and the smallest limit that one of them has. */
interface Group {
  running: number;
  limit: number;
}

/**
 * The jobs that run, over all processes, by what limits how many may run at once: their type and their concurrency key. A
 * job may start when fewer run than its own limit and than that of each that runs.
 */
export class Occupancy {
  readonly #types = new Map<string, Group>();
  readonly #keys = new Map<string, Group>();

  /** Reads it. A claim does so in the transaction that starts the jobs, which no other claim runs beside. */
  static async read(sql: Sql): Promise<Occupancy> {
    // The condition is that of the index, which holds all that is asked for.
    const rows = await sql.all<Limited>(
      `select type, concurrency, concurrency_key, concurrency_limit from jobs
       where status = 'running' and (concurrency is not null or concurrency_key is not null)`,
    );
    const occupancy = new Occupancy();
    for (const row of rows) occupancy.#add(row);
    return occupancy;
  }

  /** Counts a job as running if it may start beside the others. */
  admit(job: Limited): boolean {
    const mayStart =
      hasPlace(this.#types.get(job.type), job.concurrency) &&
      (job.concurrency_key === null || hasPlace(this.#keys.get(job.concurrency_key), job.concurrency_limit));
    if (mayStart) this.#add(job);
    return mayStart;
  }

  /** SQL: the jobs that may start, each by itself, so that none of the others keeps a place in the queue. */
  get mayStart(): Fragment {
    const parts: string[] = [];
    const values: Value[] = [];
    for (const [type, group] of this.#types) {
      // One of the type without a limit of its own keeps to that of the others.
      parts.push(isFull(group) ? 'type <> ?' : '(type <> ? or coalesce(concurrency, ?) > ?)');
      values.push(type, ...(isFull(group) ? [] : [group.limit, group.running]));
    }
    for (const [key, group] of this.#keys) {
      // The index of ready jobs knows their keys, so that those of a full one are passed over without being read.
      const isOther = 'concurrency_key is distinct from ?';
      parts.push(isFull(group) ? isOther : `(${isOther} or concurrency_limit > ?)`);
      values.push(key, ...(isFull(group) ? [] : [group.running]));
    }
    return { text: parts.map((part) => ` and ${part}`).join(''), values };
  }

  #add({ type, concurrency, concurrency_key: key, concurrency_limit: limit }: Limited): void {
    if (concurrency !== null) count(this.#types, type, concurrency);
    if (key !== null && limit !== null) count(this.#keys, key, limit);
  }
}

function hasPlace(group: Group | undefined, own: number | null): boolean {
  return group === undefined || group.running < Math.min(group.limit, own ?? group.limit);
}

const isFull = ({ running, limit }: Group): boolean => running >= limit;

function count(groups: Map<string, Group>, name: string, limit: number): void {
  const { running, limit: known } = groups.get(name) ?? { running: 0, limit };
  groups.set(name, { running: running + 1, limit: Math.min(known, limit) });
}
