import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.js';
import type { NewTask } from '../../src/core/tasks/create-tasks.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import type { Database } from '../../src/store/sql.js';
import { openAt } from '../support/open-at.js';
import { isOnPostgres } from '../support/postgres.js';

/** The program of one worker process, for `buildChild`. */
export const workerProgram = fileURLToPath(new URL('./children/worker.ts', import.meta.url));

/** Numbers between 0 and 1 that are the same in every run (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A new database with `count` tasks of several priorities, each after up to three of those shortly before it. */
export async function createLoadBoard(database: string, count: number, random: () => number): Promise<Database> {
  const clock = systemClock();
  const db = await openAt(database, clock.now);
  const board = createTaskBoard({ db, clock });
  for (let made = 0; made < count; made += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, count - made) }, (_, index) => loadTask(made + index, random));
    await board.create(batch, { holder: null, project: '' });
  }
  return db;
}

function loadTask(place: number, random: () => number): NewTask {
  const dependencies = Array.from({ length: Math.floor(random() * 4) }, () => place - 1 - Math.floor(random() * 200));
  return {
    title: `Task ${place}`,
    key: `task-${place}`,
    priority: 1 + Math.floor(random() * 10),
    // A killed worker costs an attempt, and no task may fail for that.
    maxAttempts: 100,
    dependencies: dependencies.filter((before) => before >= 0).map((before) => `task-${before}`),
  };
}

/** The token of a claim, in the data of its events. */
const token = isOnPostgres
  ? "cast(cast(data as json) ->> 'claim_token' as bigint)"
  : "json_extract(data, '$.claim_token')";

/** What must be true of a board that was worked on until it was empty, as sentences about what breaks it. */
export function brokenPromises(db: Database): Promise<unknown[]> {
  return db.all(
    `with ends as (select cast(subject_id as integer) as id, count(*) as times, min(id) as first,
         max(${token}) as token
       from events where subject = 'task' and type = 'completed' group by subject_id),
     claims as (select cast(subject_id as integer) as id, count(*) as times, min(id) as first, max(id) as last,
         count(distinct ${token}) as tokens
       from events where subject = 'task' and type = 'claimed' group by subject_id),
     lapses as (select cast(subject_id as integer) as id, count(*) as times
       from events where subject = 'task' and type = 'lapsed' group by subject_id)
     select 'a task was not done exactly once' as broken, t.id from tasks t left join ends e on e.id = t.id
       where t.status <> 'completed' or e.times is distinct from 1
     union all select 'a task was done under another token than its last', t.id from tasks t join ends e on e.id = t.id
       where e.token <> t.claim_token
     union all select 'two claims of a task had one token', t.id from tasks t join claims c on c.id = t.id
       where c.tokens <> c.times or t.claim_token <> c.times
     union all select 'a claim ended neither in completion nor in a lapse', t.id from tasks t
       join claims c on c.id = t.id left join lapses l on l.id = t.id where c.times <> 1 + coalesce(l.times, 0)
     union all select 'a task was claimed before what it depends on was done', d.task_id from task_dependencies d
       join claims c on c.id = d.task_id join ends e on e.id = d.depends_on where c.first < e.first
     union all select 'the counters of a task differ from its edges', id from tasks
       where unfinished_dependencies <> 0 or failed_dependencies <> 0`,
  );
}
