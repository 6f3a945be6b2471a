import { describe, expect, it, test } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import { explain } from '../../../src/store/postgres/postgres-errors.js';
import type { Sql } from '../../../src/store/sql.js';
import { postgresPort } from '../../support/postgres.js';
import { notesIn } from '../open-store.js';
import { openPostgresStore } from './open-postgres.js';

const addNote = (sql: Sql, text: string) => sql.run('insert into notes (text) values (?)', text);

it.each(['55P03', '25P03'])(
  'waiting too long for a process that is silent is unavailable, not a fault of ours: %s',
  (code) => {
    const error = Object.assign(new Error('canceling statement due to lock timeout'), { code });
    expect(explain(error, 'postgres://db/board')).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('postgres://db/board'),
      hint: expect.stringMatching(/^(Try again|Nothing was written\.)/),
    });
  },
);

describe.runIf(postgresPort)('a database on a PostgreSQL server', () => {
  test('a transaction is kept whole', async () => {
    const db = await openPostgresStore();
    const result = await db.transaction(async (sql) => {
      await addNote(sql, 'one');
      await sql.send('insert into notes (text) values (?)', 'two');
      return 'the result of its body';
    });
    expect(result).toBe('the result of its body');
    expect(await notesIn(db)).toEqual(['one', 'two']);
  });

  test('a transaction whose body throws leaves nothing, and the error comes through as it was', async () => {
    const db = await openPostgresStore();
    const error = new RuntimeError('conflict', 'No.');
    const failed = db.transaction(async (sql) => {
      await addNote(sql, 'lost');
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect(await notesIn(db)).toEqual([]);
  });

  test('a write that nobody waits for undoes its transaction when it breaks a rule of its table', async () => {
    const db = await openPostgresStore();
    const failed = db.transaction(async (sql) => {
      await addNote(sql, 'lost');
      await sql.send("insert into counters (name, value) values ('a', 1)");
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await notesIn(db)).toEqual([]);
  });

  test('run resolves to the number of rows changed, get to a row or nothing', async () => {
    const db = await openPostgresStore();
    expect(await db.run('update counters set value = 7')).toBe(2);
    expect(await db.get('select value from counters where name = ?', 'a')).toEqual({ value: 7 });
    expect(await db.get('select value from counters where name = ?', 'z')).toBeUndefined();
  });

  test('300 increments at once on three connections are counted exactly, without a lock of their own', async () => {
    const db = await openPostgresStore();
    const others = await Promise.all([1, 2].map(() => openPostgresStore({ url: db.url })));
    const increment = async (sql: Sql) => {
      const row = await sql.get<{ value: number }>("select value from counters where name = 'a'");
      await sql.run("update counters set value = ? where name = 'a'", (row?.value ?? 0) + 1);
    };
    await Promise.all(
      Array.from({ length: 100 }, () => [db, ...others].map((each) => each.transaction(increment))).flat(),
    );
    expect(await db.get("select value from counters where name = 'a'")).toEqual({ value: 300 });
  });

  test('one that began beside others is run again as the only one when it asks to be alone', async () => {
    const db = await openPostgresStore();
    let runs = 0;
    await db.transaction(
      async (sql) => {
        runs++;
        await addNote(sql, `run ${runs}`);
        await sql.alone();
      },
      { beside: true },
    );
    expect(runs).toBe(2);
    expect(await notesIn(db)).toEqual(['run 2']);
  });

  test('two that lock the same rows in another order both come through', async () => {
    const db = await openPostgresStore();
    const other = await openPostgresStore({ url: db.url });
    const both = (first: string, second: string) => async (sql: Sql) => {
      for (const name of [first, second]) await sql.run('update counters set value = value + 1 where name = ?', name);
    };
    await Promise.all(
      Array.from({ length: 20 }, () => [
        db.transaction(both('a', 'b'), { beside: true }),
        other.transaction(both('b', 'a'), { beside: true }),
      ]).flat(),
    );
    expect(await db.all('select value from counters')).toEqual([{ value: 40 }, { value: 40 }]);
  });

  test('a transaction that awaits something other than its own sql is undone', async () => {
    const db = await openPostgresStore();
    const failed = db.transaction(async (sql) => {
      await addNote(sql, 'lost');
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    await expect(failed).rejects.toThrow('awaited something other than its own sql');
    expect(await notesIn(db)).toEqual([]);
  });

  test('a read writes nothing', async () => {
    const db = await openPostgresStore();
    await expect(db.all("insert into notes (text) values ('sneaked in') returning *")).rejects.toThrow(
      'Only run() and transactions write',
    );
  });

  test('a server that is not there gives unavailable within the deadline, without the password', async () => {
    const started = performance.now();
    const failed = openPostgresStore({ url: 'postgres://me:secret@127.0.0.1:1/nothing', deadlineMs: 300 });
    const error = await failed.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('Check that the server runs') });
    expect(String(error)).not.toContain('secret');
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
