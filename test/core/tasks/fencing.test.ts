import { describe, expect, test } from 'vitest';
import { alice, type Board, bob, openBoard, shell } from './board.js';

/** A task that alice held under token 1, lost, and that bob holds under token 2. */
async function supersededTask(board: Board): Promise<number> {
  const { id } = await board.add('Task');
  await board.take(alice);
  board.clock.pass(60_000);
  await board.tasks.lapse();
  await board.take(bob);
  return id;
}

describe('the claim token', () => {
  test('grows by one with each claim, however the claim before it ended', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    expect((await board.take(alice)).claimToken).toBe(1);
    await board.end(id, 'pending');
    expect((await board.claim(id, bob)).claimToken).toBe(2);
    board.clock.pass(60_000);
    expect((await board.take(alice)).claimToken).toBe(3);
    await board.end(id, 'failed');
    await board.end(id, 'pending');
    expect((await board.take(bob)).claimToken).toBe(4);
  });

  test('that is not the newest changes nothing, whatever is asked with it', async () => {
    const board = await openBoard();
    const id = await supersededTask(board);
    const before = await board.row(id);
    const events = await board.history('task', id);
    for (const status of ['in_progress', 'completed', 'failed', 'cancelled', 'pending'] as const) {
      for (const actor of [alice, bob, shell]) {
        await expect(
          board.tasks.updateStatus(
            { task: id, status, result: 'stale', error: 'stale', tokensUsed: 9, note: 'stale', claimToken: 1 },
            actor,
          ),
        ).rejects.toMatchObject({
          code: 'stale_claim',
          message: `claim_token 1 of task ${id} has been superseded (now 2); nothing was written.`,
        });
      }
    }
    await expect(board.workers.release(id, 1, alice)).rejects.toMatchObject({ code: 'stale_claim' });
    await expect(board.workers.heartbeat({ task: id, claimToken: 1 }, alice)).rejects.toMatchObject({
      code: 'stale_claim',
    });
    expect(await board.row(id)).toEqual(before);
    expect(await board.history('task', id)).toEqual(events);
  });

  test('that is not the newest cannot write to a task that has ended either', async () => {
    const board = await openBoard();
    const id = await supersededTask(board);
    await board.tasks.updateStatus({ task: id, status: 'completed', result: "bob's", claimToken: 2 }, bob);
    const before = await board.row(id);
    for (const status of ['completed', 'failed', 'pending'] as const) {
      await expect(
        board.tasks.updateStatus({ task: id, status, result: "alice's", claimToken: 1 }, alice),
      ).rejects.toMatchObject({ code: 'stale_claim' });
    }
    expect(await board.row(id)).toEqual(before);
  });

  test('of a claim that was reclaimed is refused even before the next claim', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    board.clock.pass(60_000);
    await board.tasks.lapse();
    const before = await board.row(id);
    for (const status of ['in_progress', 'completed', 'failed', 'cancelled'] as const) {
      await expect(
        board.tasks.updateStatus({ task: id, status, result: 'late', claimToken: 1 }, alice),
      ).rejects.toMatchObject({ code: 'stale_claim', message: expect.stringContaining('has ended') });
    }
    await expect(
      board.tasks.updateStatus({ task: id, status: 'pending', result: 'late', claimToken: 1 }, alice),
    ).rejects.toMatchObject({ code: 'stale_claim' });
    expect(await board.row(id)).toEqual(before);
  });

  test('of a claim whose lease has expired is refused even before it is reclaimed', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    board.clock.pass(60_000);
    const before = await board.row(id);
    await expect(
      board.tasks.updateStatus({ task: id, status: 'completed', result: 'late', claimToken: 1 }, alice),
    ).rejects.toMatchObject({ code: 'stale_claim', message: expect.stringContaining('lapsed at') });
    await expect(board.end(id, 'completed', alice)).rejects.toMatchObject({ code: 'stale_claim' });
    expect(await board.row(id)).toEqual(before);
  });

  test('lets any process act for the claim, as a resumed conversation or a script does', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const { claimToken } = await board.take(alice);
    await board.tasks.updateStatus({ task: id, status: 'completed', result: 'by script', claimToken }, shell);
    expect(await board.tasks.get(id)).toMatchObject({ status: 'completed', result: 'by script' });
  });
});
