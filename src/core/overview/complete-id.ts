import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';

const tables = { job: 'jobs', relay: 'relay_pipelines' } as const;

/** Shorter beginnings are more likely the number of a task. */
const shortest = 4;
const mostListed = 10;

/**
 * The id that begins with `given`, as Git takes shortened hashes: the whole id, or `given` itself if no id begins with it or
 * it has fewer than four letters. Throws `invalid` with the candidates if several ids begin with it.
 */
export async function completeId(sql: Sql, kind: keyof typeof tables, given: string): Promise<string> {
  const beginning = given.trim().toLowerCase();
  if (beginning.length < shortest || !/^[\w-]+$/.test(beginning)) return given;
  const rows = await sql.all<{ id: string }>(
    `select id from ${tables[kind]} where id >= ? and id < ? order by id limit ?`,
    beginning,
    `${beginning}\u{10ffff}`,
    mostListed + 1,
  );
  const ids = rows.map(({ id }) => id);
  const [first] = ids;
  if (first === undefined) return given;
  if (ids.length === 1 || first === beginning) return first;
  const listed = ids.slice(0, mostListed).join(', ');
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(given)} is the beginning of several ids: ${listed}${ids.length > mostListed ? ', ...' : ''}.`,
    'Give more letters of the one that you mean.',
  );
}
