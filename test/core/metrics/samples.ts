import { type Metric, readSnapshot } from '../../../src/core/metrics/snapshot.js';
import type { Database } from '../../../src/store/sql.js';

export const slots = new Map([['generic', 4]]);

/** Every sample but the size of the file, by name and labels as Prometheus writes them: `jobs_started_total{type=generic}`. */
export async function samplesOf(sql: Database, now = Date.now()): Promise<Record<string, number>> {
  return flatten((await readSnapshot(sql, slots, now)).filter(({ name }) => name !== 'database_bytes'));
}

export function flatten(metrics: readonly Metric[]): Record<string, number> {
  return Object.fromEntries(
    metrics.flatMap(({ name, samples }) =>
      samples.map(({ suffix, labels, value }) => [
        `${name}${suffix}{${labels.map(([label, text]) => `${label}=${text}`).join(',')}}`,
        value,
      ]),
    ),
  );
}
