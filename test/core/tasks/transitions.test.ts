import { describe, expect, test } from 'vitest';
import { reopenTask } from '../../../src/core/tasks/transitions.js';
import { alice, type Board, bob, openBoard, shell } from './board.js';

const hours = 3_600_000;

async function lapsed(board: Board): Promise<boolean> {
  return (await board.tasks.lapse()).length > 0;
}

describe('a claim whose lease has expired', () => {
  test('becomes ready again with its attempt counted and the reason in its history', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.tasks.claimNext({}, { workerId: 'w1' }, alice);
    board.clock.pass(59_999);
    expect(await lapsed(board)).toBe(false);
    board.clock.pass(1);
    expect(await board.tasks.lapse()).toEqual([id]);
    expect(await board.tasks.get(id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      claimedBy: null,
      workerId: null,
      isReady: true,
    });
    const event = await board.db.get('select data from events where subject_id = ? and type = ?', `${id}`, 'lapsed');
    expect(event).toEqual({ data: '{"claim_token":1,"held_by":"session:alice (worker w1)","attempt":1}' });
    expect(await lapsed(board)).toBe(false);
  });

  test('is counted from the claim, however long the task had waited before', async () => {
    const board = await openBoard();
    await board.add('Task');
    board.clock.pass(48 * hours);
    await board.take(alice);
    expect(await lapsed(board)).toBe(false);
    board.clock.pass(59_999);
    expect(await lapsed(board)).toBe(false);
  });

  test('fails the task when it was the last of its attempts, and applies the policies of its dependents', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { maxAttempts: 2 });
    const after = await board.add('After', { dependencies: [id], onDependencyFailure: 'cancel' });
    for (let attempt = 1; attempt <= 2; attempt++) {
      await board.take(alice);
      board.clock.pass(60_000);
      await board.tasks.lapse();
    }
    expect(await board.tasks.get(id)).toMatchObject({
      status: 'failed',
      attempts: 2,
      error: 'Attempt 2 of 2 ended without a report from session:alice.',
    });
    expect(await board.statusOf(after.id)).toEqual(['cancelled']);
    expect(await board.history('task', id)).toEqual(['created', 'claimed', 'lapsed', 'claimed', 'lapsed', 'failed']);
  });

  test('does not count an attempt that was released', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { maxAttempts: 1 });
    for (let count = 0; count < 5; count++) {
      await board.take(alice);
      await board.end(id, 'pending');
    }
    expect(await board.tasks.get(id)).toMatchObject({ status: 'pending', attempts: 0 });
  });

  test('is handed to the next who asks, without waiting for a sweep', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    board.clock.pass(60_000);
    expect(await board.take(bob)).toMatchObject({ id, claimToken: 2, attempts: 2 });
  });

  test('can be claimed by id, without waiting for a sweep', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    board.clock.pass(60_000);
    expect(await board.claim(id, bob)).toMatchObject({ claimedBy: 'session:bob', claimToken: 2, attempts: 2 });
  });

  test('can be claimed again by who lost it', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    board.clock.pass(60_000);
    expect(await board.claim(id, alice)).toMatchObject({ claimedBy: 'session:alice', claimToken: 2, attempts: 2 });
  });
});

describe('a stepped wall clock', () => {
  for (const step of [2 * hours, -2 * hours]) {
    test(`of ${step / hours} h frees no claim and freezes none`, async () => {
      const board = await openBoard();
      await board.add('Task');
      await board.take(alice);
      board.clock.pass(30_000);
      board.clock.stepWallClock(step);
      expect(await lapsed(board)).toBe(false);
      board.clock.pass(29_999);
      expect(await lapsed(board)).toBe(false);
      board.clock.pass(1);
      expect(await lapsed(board)).toBe(true);
    });

    test(`of ${step / hours} h does not stop a renewal from counting`, async () => {
      const board = await openBoard();
      const { id } = await board.add('Task');
      const { claimToken } = await board.take(shell, 60);
      board.clock.pass(30_000);
      board.clock.stepWallClock(step);
      await board.tasks.updateStatus({ task: id, status: 'in_progress', claimToken }, shell);
      board.clock.pass(15 * 60_000 - 1);
      expect(await lapsed(board)).toBe(false);
      board.clock.pass(1);
      expect(await lapsed(board)).toBe(true);
    });
  }

  test('leaves only itself to go by after a reboot', async () => {
    const board = await openBoard();
    await board.add('Task');
    await board.take(alice);
    board.clock.reboot();
    expect(await lapsed(board)).toBe(false);
    board.clock.pass(59_999);
    expect(await lapsed(board)).toBe(false);
    board.clock.pass(1);
    expect(await lapsed(board)).toBe(true);
  });
});

describe('a claim of the earlier server, which has no lease on this boot', () => {
  test('lapses by the wall clock', async () => {
    const board = await openBoard();
    const { id } = await board.add('Adopted');
    await board.db.run(
      `update tasks set status = 'in_progress', claimed_by = 'earlier server', claim_token = 1, attempts = 1,
         lease_expires_at = ? where id = ?`,
      board.clock.now() + 1_000,
      id,
    );
    expect(await lapsed(board)).toBe(false);
    board.clock.pass(1_000);
    expect(await lapsed(board)).toBe(true);
    expect((await board.take(bob)).claimToken).toBe(2);
  });
});

test('reopening a task that its policy would stop again changes nothing, also when the caller goes on', async () => {
  const board = await openBoard();
  const goal = await board.goals.create({ name: 'G', description: '' }, alice);
  const done = await board.add('Done', { goalId: goal.id });
  const cause = await board.add('Cause');
  const { id } = await board.add('Skipped', { goalId: goal.id, dependencies: [cause.id], onDependencyFailure: 'skip' });
  await board.end(done.id, 'completed');
  await board.end(cause.id, 'failed');
  const before = await board.row(id);
  await board.db.transaction(async (sql) => {
    await expect(reopenTask(sql, before, { at: board.clock.now() })).rejects.toMatchObject({ code: 'conflict' });
  });
  expect(await board.row(id)).toEqual(before);
  expect((await board.goals.get(goal.id)).status).toBe('completed');
});
