import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochMs } from '../../base/clock.js';
import type { Database } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';

/** Ids of one statement, so that the write lock is held for milliseconds. */
const rangeSize = 2_000;

/**
 * Deletes the events before a time, range by range of ids with a pause after each. Events of open work stay, however old,
 * and those that do not meet `condition`. Resolves to their number.
 */
export async function purgeEvents(
  db: Database,
  before: EpochMs,
  pauseMs: number,
  condition: Fragment = { text: 'id > 0', values: [] },
): Promise<number> {
  const range = await db.get<{ first: number | null; last: number | null }>(
    'select min(id) as first, max(id) as last from events where at < ?',
    before,
  );
  const last = range?.last ?? 0;
  let deleted = 0;
  for (let from = range?.first ?? 1; from <= last; from += rangeSize) {
    const to = Math.min(from + rangeSize - 1, last);
    deleted += await db.run(
      `delete from events where id between ? and ? and at < ? and ${isOfNothingOpen} and ${condition.text}`,
      from,
      to,
      before,
      ...condition.values,
    );
    await sleep(pauseMs);
  }
  return deleted;
}

/** SQL: an event is about nothing that is still open. */
export const isOfNothingOpen = `not exists (select 1 from tasks t where t.status in ('pending', 'in_progress')
    and t.id = case when subject = 'task' then cast(subject_id as integer) end)
  and not exists (select 1 from goals g where g.status = 'active'
    and g.id = case when subject = 'goal' then cast(subject_id as integer) end)
  and not exists (select 1 from jobs j where j.status in ('pending', 'running')
    and j.id = case when subject = 'job' then subject_id end)
  and not exists (select 1 from relay_pipelines p where p.status in ('pending', 'in_progress')
    and p.id = case when subject = 'relay' then subject_id end)`;
