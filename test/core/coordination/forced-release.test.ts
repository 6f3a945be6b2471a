import { expect, test } from 'vitest';
import { alice, bob, openBoard, shell } from '../tasks/board.js';

test('a claim that is stuck is given back by force, and its holder hears so when it reports', async () => {
  const board = await openBoard();
  const { id } = await board.add('Stuck');
  const { claimToken } = await board.claim(id, alice);
  await expect(board.workers.giveBack(id, undefined, bob)).rejects.toMatchObject({ code: 'already_claimed' });
  expect(await board.workers.giveBack(id, undefined, bob, true)).toMatchObject({ status: 'pending', attempts: 0 });
  const late = { task: id, status: 'completed' as const, claimToken };
  await expect(board.tasks.updateStatus(late, alice)).rejects.toMatchObject({ code: 'stale_claim' });
  expect(await board.history('task', id)).toEqual(['created', 'claimed', 'released']);
  await expect(board.workers.giveBack(id, undefined, bob, true)).rejects.toMatchObject({ code: 'conflict' });
});

test('force does not excuse a token that has been superseded', async () => {
  const board = await openBoard();
  const { id } = await board.add('Task');
  await board.claim(id, alice);
  await board.workers.giveBack(id, undefined, alice);
  await board.claim(id, bob);
  await expect(board.workers.giveBack(id, 1, alice, true)).rejects.toMatchObject({ code: 'stale_claim' });
});

test('one task is claimed for a worker by name, for as long as it asks', async () => {
  const board = await openBoard();
  const { id } = await board.add('By hand');
  const claim = { workerId: 'ada', leaseSeconds: 28_800 };
  const claimed = await board.tasks.updateStatus({ task: id, status: 'in_progress', claim }, shell);
  expect(claimed).toMatchObject({
    claimedBy: 'loose:ada',
    workerId: 'ada',
    leaseExpiresAt: board.clock.now() + 28_800_000,
  });
});
