import { expect, test } from 'vitest';
import { countStatements } from '../../support/count-statements.js';
import { testRuntime } from '../../support/test-runtime.js';

const caller = { holder: 'session:a', project: '' };

test('a task is read by two statements that do not wait for each other, whatever it waits for', async () => {
  const { db, tasks } = await testRuntime();
  const [first] = await tasks.create([{ title: 'First' }], caller);
  await tasks.create([{ title: 'Second', key: 'second', dependencies: [first?.id ?? 0] }], caller);
  const ready = await countStatements(db, () => tasks.get(1, caller));
  const waiting = await countStatements(db, () => tasks.get(2, caller));
  const byKey = await countStatements(db, () => tasks.get('second', caller));
  expect([ready.statements.length, waiting.statements.length, byKey.statements.length]).toEqual([2, 2, 3]);
  expect([ready, waiting, byKey].map(({ transactions }) => transactions)).toEqual([0, 0, 0]);
  expect((await tasks.get(2, caller)).waitsBecause).toBe('It waits for task 1 (pending).');
});

test('a task without dependencies is created by two statements: its row and its event', async () => {
  const { db, tasks } = await testRuntime();
  const { statements, transactions } = await countStatements(db, () => tasks.create([{ title: 'Alone' }], caller));
  expect(statements).toEqual([
    expect.stringMatching(/^insert into tasks .* returning \*$/),
    expect.stringMatching(/^insert into events /),
  ]);
  expect(transactions).toBe(1);
});

test('a claim is one transaction: what is due is released, then one task is claimed, recorded, and read with its neighbours', async () => {
  const { db, tasks } = await testRuntime();
  await tasks.create([{ title: 'Ready' }], caller);
  const { statements, transactions } = await countStatements(db, () => tasks.claimNext({ project: '' }, {}, caller));
  expect(statements.map((text) => text.split(' ', 2).join(' '))).toEqual([
    'update tasks',
    'update tasks',
    'update tasks',
    'insert into',
    'select *',
  ]);
  expect(transactions).toBe(1);
});
