import { expect, test } from 'vitest';
import type { Database, Sql, Value } from '../../../src/store/sql.js';
import { isOnPostgres } from '../../support/postgres.js';
import { alice, openBoard } from './board.js';

const tasks = 100_000;

/** A board of 50 goals in two projects, with tasks of every kind in every one of them. */
async function fill(db: Database): Promise<void> {
  await db.run(
    `insert into goals (name, description, project, created_at, updated_at)
     with recursive n (i) as (select 1 union all select i + 1 from n where i < 50)
     select 'Goal ' || i, '', case when i % 2 then '/a' else '/b' end, 1, 1 from n`,
  );
  await db.run(
    `insert into tasks (title, goal_id, project, status, priority, unfinished_dependencies, is_held, not_before,
       deadline_at, created_at, updated_at)
     with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
     select 'Task ' || i, 1 + i % 50, case i % 4 when 0 then '' when 1 then '/a' else '/b' end,
       case when i % 10 < 3 then 'completed' when i % 100 = 7 then 'failed' else 'pending' end,
       1 + i % 10, i % 3 = 0, i % 7 = 0, case when i % 7 = 0 then 8e15 end, case when i % 11 = 0 then 8e15 end, 1, 1 from n`,
    tasks,
  );
  await db.run('insert into task_dependencies (task_id, depends_on) select id, id - 1 from tasks where id % 3 = 0');
}

interface Step {
  id: number;
  parent: number;
  detail: string;
}

/** The steps of a query plan that read a whole table, read more than the goal or project asked for, or sort more than a page. */
function faultsOf(text: string, plan: readonly Step[]): string[] {
  return plan.flatMap(({ parent, detail }) => {
    if (/^SCAN (tasks|task_dependencies|goals|t|d)\b/.test(detail)) return [detail];
    const scope = ['goal_id', 'project'].find((column) => text.includes(`${column} = ?`));
    if (scope && readsByIndex(detail) && !detail.includes(`${scope}=?`)) return [`${detail} does not use ${scope}`];
    if (!detail.startsWith('USE TEMP B-TREE')) return [];
    const sorted = plan.filter((step) => step.parent === parent && readsByIndex(step.detail));
    return sorted.map((step) => `${detail} of ${step.detail}`);
  });
}

/** Rows whose ids are known do not count: they are those of a page. */
const readsByIndex = (detail: string): boolean => /^(SCAN|SEARCH) tasks USING (COVERING )?INDEX/.test(detail);

test.skipIf(isOnPostgres)(
  'next, claim, ready, list, a goal and the sweep use indexes on a board of 100,000 tasks, in every scope',
  async () => {
    const board = await openBoard();
    await fill(board.db);
    const statements: { text: string; values: Value[] }[] = [];
    spyOn(board.db, statements);

    for (const scope of [{}, { goalId: 7 }, { project: '/a' }, { project: '/unknown' }]) {
      await board.tasks.next(scope);
      const claimed = await board.tasks.claimNext(scope, {}, alice);
      if (claimed) await board.end(claimed.id, 'completed');
      const [first] = await board.tasks.ready(scope, { limit: 20 });
      await board.tasks.ready(scope, { limit: 20, afterId: first?.id });
      for (const page of [{}, { beforeId: 50_000 }, { afterId: 50_000 }]) {
        await board.tasks.list({ ...scope, ...page, limit: 50 });
        for (const status of ['pending', 'in_progress', 'completed', 'failed'] as const) {
          await board.tasks.list({ ...scope, ...page, status, limit: 50 });
        }
      }
    }
    await board.tasks.lapse();
    await board.tasks.get(77);
    await board.goals.get(7);

    expect(statements.length).toBeGreaterThan(100);
    const faults = new Set<string>();
    await board.db.transaction(async (sql) => {
      for (const { text, values } of statements.splice(0)) {
        const plan = await sql.all<Step>(`explain query plan ${text}`, ...values);
        for (const fault of faultsOf(text, plan)) faults.add(`${fault}: ${text}`);
      }
    });
    expect([...faults]).toEqual([]);
  },
);

/** Records every statement that a database runs. */
function spyOn(db: Database, statements: { text: string; values: Value[] }[]): void {
  const noting = <Method extends 'all' | 'get' | 'run' | 'send'>(sql: Sql, method: Method): Sql[Method] => {
    const original = sql[method] as (text: string, ...values: Value[]) => Promise<never>;
    return ((text: string, ...values: Value[]) => {
      if (!text.startsWith('explain') && /\btasks\b/.test(text)) statements.push({ text, values });
      return original(text, ...values);
    }) as Sql[Method];
  };
  const spied = (sql: Sql): Sql => ({
    all: noting(sql, 'all'),
    get: noting(sql, 'get'),
    run: noting(sql, 'run'),
    send: noting(sql, 'send'),
    alone: sql.alone,
  });
  const { transaction } = db;
  Object.assign(db, spied(db), {
    transaction: ((body, options) => transaction((sql) => body(spied(sql)), options)) satisfies Database['transaction'],
  });
}
