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
