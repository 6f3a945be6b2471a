import { expect, test } from 'vitest';
import { migrations } from '../../src/store/migrate.js';
import type { Database } from '../../src/store/sql.js';
import { openDatabase } from '../../src/store/sqlite/open.js';
import { openStore, storeOptions } from './open-store.js';

const before = migrations.filter(({ version }) => version < 20);

const until = migrations.filter(({ version }) => version <= 20);

const named = async (db: Database): Promise<string[]> =>
  (
    await db.all<{ name: string }>(
      "select type || ' ' || name as name from sqlite_master where name not like 'sqlite%' order by name",
    )
  ).map(({ name }) => name);

const columns = (db: Database) =>
  db.all<{ name: string }>('select name, type, "notnull", dflt_value, pk from pragma_table_info(\'tasks\')');

test('a board keeps its tasks, links, counts, indexes and numbers when keys become unique within a project', async () => {
  const options = storeOptions({ steps: before });
  const old = await openDatabase(options);
  const insert = (key: string, project: string, more = '', values = '') =>
    old.run(
      `insert into tasks (key, project, title, created_at, updated_at${more}) values (?, ?, 'Task', 1, 1${values})`,
      key,
      project,
    );
  await insert('A1', '/one');
  await insert('A2', '/two', ', parent_id, status, completed_at', ", 1, 'completed', 2");
  await insert('A3', '/two');
  await old.run('insert into task_dependencies (task_id, depends_on) values (1, 2)');
  await old.run('delete from tasks where id = 3');
  const had = {
    names: await named(old),
    columns: await columns(old),
    tasks: await old.all('select * from tasks'),
    dependencies: await old.all('select * from task_dependencies'),
  };
  await old.close();

  const db = await openStore({ ...options, steps: until });
  expect({
    names: (await named(db)).filter((name) => name !== 'index tasks_by_key'),
    columns: await columns(db),
    tasks: await db.all('select * from tasks'),
    dependencies: await db.all('select * from task_dependencies'),
  }).toEqual(had);
  await db.run("insert into tasks (key, project, title, created_at, updated_at) values ('A1', '/two', 'Task', 1, 1)");
  expect(await db.get("select id from tasks where key = 'A1' and project = '/two'")).toEqual({ id: 4 });
  const counts = 'select project, state, count from task_counts where count > 0 order by project, state';
  expect(await db.all(counts)).toEqual([
    { project: '/one', state: 'ready', count: 1 },
    { project: '/two', state: 'completed', count: 1 },
    { project: '/two', state: 'ready', count: 1 },
  ]);
  await expect(db.run('delete from tasks where id = 2')).rejects.toThrow(/foreign key/i);
});
