import { expect, it } from 'vitest';
import { insertRow, rowOf } from '../../src/store/insert-row.js';
import { updateRow } from '../../src/store/update-row.js';
import { is, where } from '../../src/store/where.js';
import { openStore } from './open-store.js';

it('inserts each value under its own column and returns the row as stored', async () => {
  const db = await openStore();
  const row = await db.transaction((sql) => insertRow(sql, 'counters', { value: 7, name: 'c' }));
  expect(row).toEqual({ name: 'c', value: 7 });
  expect(await db.transaction((sql) => insertRow(sql, 'notes', { text: 'first' }))).toEqual({ id: 1, text: 'first' });
});

it('sets columns of one row and returns it as it is then', async () => {
  const db = await openStore();
  const row = await db.transaction((sql) => updateRow(sql, 'counters', { name: 'a' }, { value: 7 }));
  expect(row).toEqual({ name: 'a', value: 7 });
  expect(await db.get("select value from counters where name = 'b'")).toEqual({ value: 0 });
  await expect(db.transaction((sql) => updateRow(sql, 'counters', { name: 'nobody' }, { value: 1 }))).rejects.toThrow(
    'gone',
  );
});

it('lets the table refuse what it does not allow', async () => {
  const db = await openStore();
  await expect(db.transaction((sql) => insertRow(sql, 'counters', { name: 'a', value: 1 }))).rejects.toThrow(/UNIQUE/);
});

it('throws for a row that should be there and is not', () => {
  expect(() => rowOf(undefined)).toThrow('gone');
});

it('joins the conditions that are given, with their values in order', () => {
  const status: string | undefined = undefined;
  expect(where(is('status = ?', status), is('id < ?', 9), is('goal_id in (?, ?)', 1, 2))).toEqual({
    text: 'where id < ? and goal_id in (?, ?)',
    values: [9, 1, 2],
  });
  expect(where(is('status = ?', status), false)).toEqual({ text: '', values: [] });
});
