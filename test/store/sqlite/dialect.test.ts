import { expect, test } from 'vitest';
import { toSqlite } from '../../../src/store/sqlite/dialect.js';

test('no parameter is one whose value SQLite would plan for, preparing the statement again each time', () => {
  expect(toSqlite('select id from tasks where project = ? order by id limit ?')).toBe(
    'select id from tasks where project = +? order by id limit +?',
  );
});

test('question marks in strings, names and comments stay', () => {
  const text = `select 'who?', 'it''s ?' as "why?" from t where a = ? -- which?`;
  expect(toSqlite(text)).toBe(text.replace('a = ?', 'a = +?'));
});

test('row locks are left out', () => {
  expect(toSqlite('select 1 from tasks t where t.id = 5 for update of t skip locked').trim()).toBe(
    'select 1 from tasks t where t.id = 5',
  );
});
