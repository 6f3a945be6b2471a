import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import { type MoveSource, type MoveTarget, moveDatabase } from '../../src/store/move.js';
import { openPostgresSource, openPostgresTarget } from '../../src/store/postgres/move.js';
import { openPostgres } from '../../src/store/postgres/open.js';
import { openSqliteSource, openSqliteTarget } from '../../src/store/sqlite/move.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { connect } from '../support/sqlite.js';
import { tempDir } from '../support/temp-dir.js';
import { problemsOfDatabase } from '../support/whole-database.js';
import { boardToMove, withBoard } from './board-to-move.js';

interface Side {
  name: string;
  source(): Promise<MoveSource>;
  target(source: string, options?: { startsOver?: boolean }): Promise<MoveTarget>;
  env: Record<string, string>;
}

const file = (path: string): Side => ({
  name: path,
  source: () => openSqliteSource(path),
  target: (source, { startsOver = false } = {}) =>
    openSqliteTarget({ file: path, source, startsOver, now: Date.UTC(2026, 10, 22), log: silentLog }),
  env: { AGENT_RUNTIME_DB_PATH: path },
});

const server = (url: string): Side => ({
  name: url,
  source: () => openPostgresSource(url),
  target: (source, { startsOver = false } = {}) => openPostgresTarget({ url, source, startsOver }),
  env: { AGENT_RUNTIME_DB_URL: url },
});

const newFile = () => file(join(tempDir(), 'moved.db'));
const newServer = () => server(newPostgresUrl());

/** Moves as the command does; `through` may change what the move sees of its target. */
async function move(from: Side, to: Side, { through = (target: MoveTarget) => target, startsOver = false } = {}) {
  const source = await from.source();
  try {
    const target = await to.target(source.location, { startsOver });
    try {
      return { tables: await moveDatabase(source, through(target)), wasThere: target.isWhole };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Ends the move as a lost power does, before the insert with this number; undefined once there are no more. */
async function moveUntil(from: Side, to: Side, insert: number) {
  let count = 0;
  const stopping = (target: MoveTarget): MoveTarget => ({
    isWhole: target.isWhole,
    location: target.location,
    all: target.all,
    tables: () => target.tables(),
    empty: (table) => target.empty(table),
    close: () => target.close(),
    async insert(table, rows) {
      if (count++ === insert) throw new Error('stopped here');
      await target.insert(table, rows);
    },
    async finish(numbers) {
      if (count === insert) throw new Error('stopped here');
      await target.finish(numbers);
    },
  });
  return move(from, to, { through: stopping }).catch((error: Error) => {
    if (error.message !== 'stopped here') throw error;
    return undefined;
  });
}

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** What users see of a board, and which ids it gives next. */
const boardOf = (side: Side) =>
  withBoard(side.env, async (runtime, call) => ({
    goals: await call('list_goals', { fields: 'full' }),
    tasks: await call('list_tasks', { limit: 100, fields: 'brief' }),
    one: await call('get_task', { task_id: 'k299', fields: 'full' }),
    counts: await runtime.db.all(
      'select goal_id, project, state, count from task_counts where count > 0 order by goal_id, project, state',
    ),
    jobs: await runtime.db.all('select id, status from jobs'),
    jobCounts: await runtime.db.all('select * from job_counts where count > 0'),
    bytes: (await runtime.db.all<{ bytes: Uint8Array }>('select bytes from artifact_chunks')).map(({ bytes }) =>
      Buffer.from(bytes).toString('hex'),
    ),
    relays: await call('list_relay_pipelines', {}),
    breakers: await call('circuit_breaker_list', {}),
  }));

const nextTask = (side: Side) => withBoard(side.env, (_, call) => call('create_task', { title: 'next' }));

describe.runIf(postgresPort)('a database that moves', () => {
  test('from a file to a server and back to a file, it is the same board, and the sources are as they were', async () => {
    const path = await boardToMove();
    const first = file(path);
    const before = hashOf(path);
    const there = newServer();
    const { tables } = await move(first, there);
    expect(tables).toContainEqual({ table: 'tasks', rows: 302 });
    expect(hashOf(path)).toBe(before);
    expect(readdirSync(dirname(path)).filter((name) => /-(wal|shm)$/.test(name))).toEqual([]);

    const back = newFile();
    const returned = await move(there, back);
    const rows = (found: typeof tables) =>
      found
        .filter(({ table, rows }) => rows > 0 && !table.endsWith('_counts'))
        .sort((a, b) => (a.table < b.table ? -1 : 1));
    expect(rows(returned.tables)).toEqual(rows(tables));
    expect(await problemsOfDatabase(back.name)).toEqual([]);

    const board = await boardOf(first);
    expect(board.counts.length).toBeGreaterThan(2);
    expect(board.bytes).toEqual(['00ff5c78']);
    expect(await boardOf(there)).toEqual(board);
    expect(await boardOf(back)).toEqual(board);
    // Task 303 was deleted before: its id is given to no other one.
    for (const side of [there, back]) expect(await nextTask(side)).toMatchObject({ id: 304 });
    // What counts by triggers counts again.
    const connection = connect(back.name, { readonly: true });
    const open = "where goal_id = 0 and state = 'ready' order by project";
    expect(connection.prepare(`select * from task_counts ${open}`).all()).toEqual(
      connection.prepare(`select * from counted_tasks ${open}`).all(),
    );
    connection.close();
  });

  for (const [name, newTarget] of [
    ['server', newServer],
    ['file', newFile],
  ] as const) {
    test(`to a ${name}, stopped anywhere, goes on where it was; until then nothing opens it`, async () => {
      const path = await boardToMove();
      let from = file(path);
      if (name === 'file') {
        from = newServer();
        await move(file(path), from);
      }
      const to = newTarget();
      let rounds = 0;
      // Each round arrives one page further, and then is stopped.
      for (let isDone = false; !isDone; rounds++) {
        isDone = (await moveUntil(from, to, 1)) !== undefined;
        if (isDone || rounds % 5 > 0) continue;
        if (name === 'file') expect(existsSync(to.name)).toBe(false);
        else await expect(withBoard(to.env, async () => {})).rejects.toMatchObject({ code: 'unavailable' });
      }
      expect(rounds).toBeGreaterThan(8);
      expect(await boardOf(to)).toEqual(await boardOf(from));
      if (name === 'file') expect(readdirSync(dirname(to.name))).not.toContain('moved.db.moving');
    });
  }

  test('is compared when the move is repeated after its end, and refused once the target has work of its own', async () => {
    const [first, middle, last] = [file(await boardToMove()), newServer(), newFile()];
    await move(first, middle);
    await move(middle, last);
    for (const [from, to] of [
      [middle, last],
      [first, middle],
    ] as const) {
      expect(await move(from, to)).toMatchObject({ wasThere: true });
      await nextTask(to);
      await expect(move(from, to)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('holds other work'),
      });
    }
  });

  test('of another source is not mixed with one that was begun, unless that is given up', async () => {
    const [one, other] = [file(await boardToMove()), file(await boardToMove())];
    const to = newServer();
    expect(await moveUntil(one, to, 3)).toBeUndefined();
    await expect(move(other, to)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(one.name),
      hint: expect.stringContaining('--start-over'),
    });
    await move(other, to, { startsOver: true });
    expect(await boardOf(to)).toEqual(await boardOf(other));
  });

  test('whose source changed between two tries arrives as it is at the end', async () => {
    const from = file(await boardToMove());
    const to = newServer();
    for (const _ of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) await moveUntil(from, to, 1);
    await withBoard(from.env, async (runtime, call) => {
      await call('update_goal', { goal_id: 1, name: 'renamed' });
      await runtime.db.run("update access_tokens set name = 'desk'");
    });
    await move(from, to);
    expect(await boardOf(to)).toEqual(await boardOf(from));
  });

  test('is moved by one process at a time', async () => {
    const from = file(await boardToMove());
    for (const to of [newServer(), newFile()]) {
      const first = await to.target(from.name);
      await expect(to.target(from.name)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('Another process'),
      });
      await first.close();
    }
  });

  test('with a text that PostgreSQL cannot store is told by table, column and row', async () => {
    const from = file(await boardToMove());
    await withBoard(from.env, async ({ db }) => {
      await db.run("update tasks set description = 'a' || char(0) || 'b' where id = 7");
    });
    await expect(move(from, newServer())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/description of the row of tasks with id 7/),
    });
  });

  test('does not go where a table of another program has the name of one of ours', async () => {
    const from = file(await boardToMove());
    const url = newPostgresUrl();
    const db = await openPostgres({ url, log: silentLog, steps: [] });
    await db.run('create table tasks (id int)');
    await db.run('drop table schema_version');
    db.close();
    await expect(move(from, server(url))).rejects.toMatchObject({
      message: expect.stringContaining('another program'),
    });
  });
});
