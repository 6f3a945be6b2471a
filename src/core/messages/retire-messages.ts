import type { Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';

/**
 * Deletes a message that was sent before a time, unless it is still to be given: to a goal that is active, or to others
 * until it expires and they have read it. Resolves to the number of rows deleted.
 */
export function deleteOldMessage(sql: Sql, id: number, before: number, now: number): Promise<number> {
  return sql.run(`delete from messages where id = ? and ${isOver}`, id, before, now);
}

const isOver = `sent_at < ? and not exists (
    select 1 from goals g where g.id = messages.goal_id and g.status = 'active')
  and (to_kind in ('goal', 'user') or expires_at <= ?
    or (to_kind <> 'all' and exists (select 1 from message_receipts r where r.message_id = messages.id)))`;

/** The ids of those that `deleteOldMessage` would delete. */
export const oldMessages = (before: number, now: number): Fragment => ({
  text: `select id from messages where ${isOver} order by id desc`,
  values: [before, now],
});
