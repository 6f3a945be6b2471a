import type { Sql } from '../../store/sql.js';

/** An id or a key, and what it names. */
export interface Suggestion {
  id: string;
  about: string;
}

const mostSuggested = 50;

/** The ids that begin with what was typed, newest first; of tasks also keys, and only those that are open or failed. */
export async function suggestIds(sql: Sql, kind: 'goal' | 'task' | 'job', typed: string): Promise<Suggestion[]> {
  if (kind === 'job') {
    const rows = await sql.all<{ id: string; type: string; status: string }>(
      'select id, type, status from jobs where id >= ? and id < ? order by created_at desc limit ?',
      ...range(typed),
      mostSuggested,
    );
    return rows.map(({ id, type, status }) => ({ id, about: `${type}, ${status}` }));
  }
  if (kind === 'goal') {
    const rows = await sql.all<{ id: number; about: string }>(
      `select id, name || ', ' || status as about from goals where cast(id as text) like ? order by id desc limit ?`,
      digits(typed),
      mostSuggested,
    );
    return rows.map(({ id, about }) => ({ id: String(id), about }));
  }
  const rows = await sql.all<{ id: number; key: string | null; about: string }>(
    `select id, key, title || ', ' || status as about from tasks
     where status in ('pending', 'in_progress', 'failed') and (cast(id as text) like ? or (key >= ? and key < ?))
     order by id desc limit ?`,
    digits(typed),
    ...range(typed),
    mostSuggested,
  );
  return rows.flatMap(({ id, key, about }) => [
    { id: String(id), about },
    ...(key === null ? [] : [{ id: key, about }]),
  ]);
}

/** A pattern for ids that begin with it; one that fits none if it cannot be the beginning of an id. */
const digits = (typed: string): string => (/^\d*$/.test(typed) ? `${typed}%` : '-');

const range = (typed: string): [from: string, to: string] => [typed, `${typed}\u{10ffff}`];
