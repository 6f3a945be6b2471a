import { expect, it } from 'vitest';
import { connect } from '../support/sqlite.js';
import { testRuntime } from '../support/test-runtime.js';
import { checkBooks, type Witness } from './books.js';
import { Ledger } from './ledger.js';

const ada = { holder: 'session:ada', project: '' };

/** A board on which one task waits for another, which ada has claimed and completed, with the ledger that says so. */
async function world() {
  const runtime = await testRuntime();
  const [first, second] = await runtime.tasks.create(
    [
      { title: 'first', key: 'first' },
      { title: 'second', dependencies: ['first'] },
    ],
    ada,
  );
  const claimed = await runtime.tasks.claimNext({}, {}, ada);
  if (!first || !second || claimed?.id !== first.id) throw new Error('The board is not as this test needs it.');
  const end = { task: first.id, status: 'completed', result: 'r', claimToken: claimed.claimToken } as const;
  await runtime.tasks.updateStatus(end, ada);
  const ledger = new Ledger();
  ledger.tasks.set(first.id, 'first').set(second.id, 'second');
  ledger.claim(first.id, claimed.claimToken, 'ada');
  ledger.ends.set(first.id, { status: 'completed', result: 'r', token: claimed.claimToken });
  const witness: Witness = { database: runtime.config.dbPath, requests: [], toolCalls: () => [] };
  const spoil = (sql: string) => connect(witness.database).exec(sql);
  return { first, second, ledger, spoil, check: () => checkBooks(witness, ledger), witness };
}

it('books that are right have nothing in them', async () => {
  const { check } = await world();
  expect(await check()).toEqual([]);
});

it('a lost task, a lost end and a lost claim are found', async () => {
  const { ledger, first, check } = await world();
  ledger.tasks.set(99, 'gone');
  ledger.ends.set(first.id, { status: 'completed', result: 'another', token: 1 });
  ledger.claim(first.id, 7, 'ada');
  expect(await check()).toEqual([
    'Task 99 (gone) was acknowledged, and there is undefined.',
    expect.stringMatching(/^Task 1 was acknowledged as completed \(another, token 1\); it is .*"result":"r"/),
    'No claim on 1 with token 7 is on record.',
  ]);
});

it('a schedule that has not fired is found', async () => {
  const { ledger, check } = await world();
  ledger.timers.set('nightly', 'Done.');
  expect(await check()).toEqual(['Schedule nightly has not fired.']);
});

it('a claim that was given to two users is found', async () => {
  const { ledger, first, check } = await world();
  ledger.claim(first.id, 1, 'bob');
  expect(await check()).toEqual(['The claim on 1 with token 1 was given to ada and bob.']);
});

it.each([
  [
    'a counter that differs from its rows',
    'update tasks set unfinished_dependencies = 2 where id = 2',
    /counter of unf/,
  ],
  ['a gap in the tokens', 'update tasks set claim_token = 5 where id = 1', /more claims than its token says/],
  [
    'a claim during a claim',
    "update events set type = 'claimed', data = '{\"claim_token\":1}' where type = 'completed'",
    /while it was claimed/,
  ],
  [
    'a budget that was passed',
    "insert into budgets (account, cap, spent, created_at, updated_at) values ('goal:1', 5, 6, 0, 0)",
    /budget of goal:1 is 5, and 6/,
  ],
  [
    'a schedule that has fired twice for one time',
    `insert into events (at, subject, subject_id, type, data) select 0, 'schedule', 's', 'fired', '{"name":"n","due_at":"12:00","run":"j"}' from tasks`,
    /Schedule n has fired 2 times for 12:00\.[\s\S]*The job j of schedule n for 12:00 is lost/,
  ],
  ['a reference to nothing', 'pragma foreign_keys = off; update tasks set goal_id = 9', /foreign_key_check/],
])('%s is found', async (_, sql, problem) => {
  const { spoil, check } = await world();
  spoil(sql);
  expect((await check()).join('\n')).toMatch(problem);
});

it('a tool call that ran twice, or was answered without running, is found', async () => {
  const { ledger, witness } = await world();
  for (const mark of ['a', 'b', 'c']) ledger.sent.add(mark);
  ledger.answered.add('a').add('b');
  expect(await checkBooks({ ...witness, toolCalls: () => ['odd add a', 'odd add a'] }, ledger)).toEqual([
    'The tool call a was carried out 2 times.',
    'The tool call b was answered and not carried out.',
  ]);
});
