import pg from 'pg';
import { expect } from 'vitest';
import type { Answer } from '../faults/server-under.js';
import type { HostSession } from './host.js';

/** Sessions that make, claim and complete tasks without a pause, whatever befalls the database. */
export interface BoardLoad {
  /** Titles of the tasks whose making was acknowledged. */
  made: string[];
  /** Ids of the tasks whose completion was acknowledged. */
  done: string[];
  /** Calls that were refused, all of them as `unavailable`. */
  refused: Answer['data'][];
  /** Resolves when the calls under way have been answered. Throws if one was refused for another reason. */
  end(): Promise<void>;
}

/** Puts load on a board; each task has a title of its own. */
export function loadBoard(sessions: readonly HostSession[]): BoardLoad {
  const load = { made: [] as string[], done: [] as string[], refused: [] as Answer['data'][] };
  let mayEnd = false;
  const work = sessions.map(async ({ call }, host) => {
    const isTaken = ({ isError, data }: Answer) => {
      if (isError) load.refused.push(data);
      return !isError;
    };
    for (let index = 0; !mayEnd; index++) {
      const title = `task ${host}-${index}`;
      if (!isTaken(await call('create_task', { title, key: title.replace(' ', '-') }))) continue;
      load.made.push(title);
      const claimed = await call('claim_next_task');
      if (!isTaken(claimed) || claimed.data.claim_token === undefined) continue;
      const { id, claim_token } = claimed.data;
      if (isTaken(await call('update_task_status', { task_id: id, status: 'completed', claim_token }))) {
        load.done.push(String(id));
      }
    }
  });
  return {
    ...load,
    async end() {
      mayEnd = true;
      await Promise.all(work);
      for (const { code, hint } of load.refused) expect([code, hint]).toEqual(['unavailable', expect.any(String)]);
    },
  };
}

/** What was acknowledged is in the database, and nothing is there twice. */
export async function expectWholeBoard(url: string, { made, done }: BoardLoad): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const tasks = await client.query<{ title: string }>('select title from tasks');
  const completed = await client.query<{ id: string }>(
    "select subject_id as id from events where subject = 'task' and type = 'completed'",
  );
  await client.end();
  const titles = new Set(tasks.rows.map(({ title }) => title));
  expect(titles.size).toBe(tasks.rows.length);
  expect(made.filter((title) => !titles.has(title))).toEqual([]);
  const ids = new Set(completed.rows.map(({ id }) => id));
  expect(ids.size).toBe(completed.rows.length);
  expect(done.filter((id) => !ids.has(id))).toEqual([]);
  expect(new Set(done).size).toBe(done.length);
}
