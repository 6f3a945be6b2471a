import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { clockValues, leaseHasLapsed } from '../lease.js';
import type { TaskRow } from './task.js';
import { takeBack } from './transitions.js';

/** Takes back every claim whose lease is over. Resolves to the ids. Anyone may run it at any time; nothing lapses twice. */
export async function lapseClaims(sql: Sql, clock: Clock): Promise<number[]> {
  const rows = await sql.all<TaskRow>(
    `select * from tasks where status = 'in_progress' and ${leaseHasLapsed}`,
    ...clockValues(clock),
  );
  const change: Change = { at: clock.now() };
  for (const row of rows) await takeBack(sql, row, change);
  return rows.map((row) => row.id);
}
