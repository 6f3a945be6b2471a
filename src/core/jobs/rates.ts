import type { Clock } from '../../base/clock.js';
import type { Sql, Value } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { type RateGate, type RateLimit, readRateGates } from '../rates/rates.js';
import type { JobRow } from './job.js';

/** The rate limits of providers, as far as they decide which jobs may start now. */
export class Rates {
  /** How many more jobs of each provider may start. */
  readonly #left: Map<string, number>;
  readonly #gates: ReadonlyMap<string, RateGate>;

  private constructor(gates: ReadonlyMap<string, RateGate>) {
    this.#gates = gates;
    this.#left = new Map([...gates].map(([provider, { calls }]) => [provider, calls]));
  }

  /** @param configured counts for providers that nobody has called yet */
  static async read(sql: Sql, clock: Clock, configured: Readonly<Record<string, RateLimit>> = {}): Promise<Rates> {
    const unused = Object.entries(configured).map(([provider, { requestsPerMinute }]): [string, RateGate] => [
      provider,
      { calls: requestsPerMinute ?? Number.POSITIVE_INFINITY, wait: undefined },
    ]);
    return new Rates(new Map([...unused, ...(await readRateGates(sql, clock))]));
  }

  /** Whether the provider of a job lets one more call through. */
  hasCall({ requires }: Pick<JobRow, 'requires'>): boolean {
    return requires === null || (this.#left.get(requires) ?? 1) > 0;
  }

  /** Counts a job that starts. */
  admit({ requires }: Pick<JobRow, 'requires'>): boolean {
    const left = requires === null ? undefined : this.#left.get(requires);
    if (requires !== null && left !== undefined) this.#left.set(requires, left - 1);
    return true;
  }

  /** SQL: the jobs whose provider lets a call through. */
  get mayStart(): Fragment {
    const full = [...this.#left].flatMap(([provider, left]) => (left > 0 ? [] : [provider]));
    if (full.length === 0) return { text: '', values: [] };
    return { text: ` and (requires is null or requires not in (${full.map(() => '?').join(', ')}))`, values: full };
  }

  /** SQL: when a job is due, or the later time at which its provider lets it through. */
  delayed(dueAt: string, dueValues: readonly Value[]): Fragment {
    let due: Fragment = { text: dueAt, values: dueValues };
    for (const [provider, { wait }] of this.#gates) {
      if (!wait) continue;
      due = {
        text: `(case when requires = ? and ${due.text} < ? then cast(? as bigint) else ${due.text} end)`,
        values: [provider, ...due.values, wait.until, wait.until, ...due.values],
      };
    }
    return due;
  }
}
