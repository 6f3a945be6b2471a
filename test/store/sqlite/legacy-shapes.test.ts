import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { connect } from '../../support/sqlite.js';
import { notesIn, storeOptions } from '../open-store.js';
import { adopt, writeLegacyDatabase } from './legacy-database.js';
import { startTalking } from './talk.js';

const goals = [{ id: 1, name: 'g', description: 'd' }];
const tasks = [{ id: 1, title: 't', goal_id: 1 }];

test('a database from before there were relays and breakers is adopted', async () => {
  const db = await adopt(writeLegacyDatabase({ only: ['goals', 'tasks', 'task_queue'], rows: { goals, tasks } }));
  expect(await db.get('select title, goal_id from tasks')).toEqual({ title: 't', goal_id: 1 });
  expect(await db.all('select * from relay_pipelines')).toEqual([]);
});

test('an empty database with nothing but goals is adopted', async () => {
  const db = await adopt(writeLegacyDatabase({ only: ['goals'] }));
  expect(await db.all('select * from goals')).toEqual([]);
  expect(await db.all('select * from tasks')).toEqual([]);
});

test('a table without a column of later versions is adopted', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      only: ['goals'],
      extra: `create table tasks (id integer primary key autoincrement, title text not null, dependencies text);
        insert into tasks (title) values ('t')`,
    }),
  );
  expect(await db.get('select title, status, priority, result from tasks')).toEqual({
    title: 't',
    status: 'pending',
    priority: 5,
    result: null,
  });
});

test('tables that the earlier server knows nothing of stay with their rows, references and indexes', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: { goals, tasks },
      extra: `create table ember_moods (id integer primary key, task_id integer references tasks (id), mood text);
        create index ember_by_mood on ember_moods (mood);
        insert into ember_moods (task_id, mood) values (1, 'calm');
        create table legacy_notes (text text);
        insert into legacy_notes values ('mine')`,
    }),
  );
  expect(await db.all('select task_id, mood from ember_moods')).toEqual([{ task_id: 1, mood: 'calm' }]);
  expect(await db.all('select text from legacy_notes')).toEqual([{ text: 'mine' }]);
  expect(await db.all("select name from sqlite_master where name = 'ember_by_mood'")).toHaveLength(1);
  await db.run("insert into ember_moods (task_id, mood) values (1, 'busy')");
  await expect(db.run("insert into ember_moods (task_id, mood) values (77, 'lost')")).rejects.toThrow('FOREIGN KEY');
});

test('a table of somebody else under a name of ours is kept under another', async () => {
  const db = await adopt(
    writeLegacyDatabase({ extra: "create table events (what text); insert into events values ('theirs')" }),
  );
  expect(await db.all('select what from legacy_events')).toEqual([{ what: 'theirs' }]);
  expect(await db.all('select * from events')).toEqual([]);
});

test('a database that another process has open is adopted; that one sees the change', async () => {
  const file = writeLegacyDatabase({ rows: { goals, tasks } });
  const python = connect(file);
  onTestFinished(() => void python.close());
  const oldInsert = python.prepare("insert into goals (name, description) values ('n', 'd')");
  const other = await startTalking('hold-lock', [file, 'select * from goals']);
  await other.nextLine();
  const db = await adopt(file);
  expect(await db.get('select count(*) as count from goals')).toEqual({ count: 1 });
  expect(() => oldInsert.run()).toThrow('NOT NULL constraint failed: goals.created_at');
});

test('a database that another process is writing to is adopted as soon as that lets go', async () => {
  const file = writeLegacyDatabase({ rows: { goals, tasks } });
  const python = await startTalking('hold-lock', [
    file,
    'begin immediate',
    "insert into goals (name, description) values ('written meanwhile', 'd')",
    'commit',
    'begin immediate',
  ]);
  await python.nextLine();
  const letGo = setTimeout(() => python.tell('let go'), 200);
  onTestFinished(() => clearTimeout(letGo));
  const db = await adopt(file);
  expect(await db.all('select name from goals order by id')).toEqual([{ name: 'g' }, { name: 'written meanwhile' }]);
});

test('an adoption that fails leaves the rows as they were, and no backup behind', async () => {
  const file = writeLegacyDatabase({ rows: { goals, tasks } });
  const last = {
    version: 2,
    name: 'fails',
    up: () => {
      throw new Error('The step failed.');
    },
  };
  const options = storeOptions({ file, steps: [...migrations, last] });
  await expect(openDatabase(options)).rejects.toThrow('The step failed.');
  expect(readdirSync(options.backupDir)).toEqual([]);
  const python = connect(file);
  expect(python.prepare('select id, title, goal_id, status, priority from tasks').all()).toEqual([
    { ...tasks[0], status: 'pending', priority: 5 },
  ]);
  expect(python.pragma('user_version', { simple: true })).toBe(0);
  python.close();
  const db = await adopt(file);
  expect(await db.get('select count(*) as count from tasks')).toEqual({ count: 1 });
  await expect(notesIn(db)).rejects.toThrow('no such table');
});
