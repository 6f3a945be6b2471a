import { describe, expect, test } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { createSlots, type SlotActor } from '../../../src/core/coordination/slots.js';
import type { Processes } from '../../../src/core/ports.js';
import { alice, type Board, bob, openBoard, shell } from '../tasks/board.js';

const at = (actor: typeof alice): SlotActor => ({ ...actor, sessionId: undefined });

async function take(board: Board, workerId?: string, actor = alice): Promise<number> {
  return (await board.slots.claim(workerId, at(actor))).slot;
}

describe('a worker slot', () => {
  test('is the lowest free one, counted from 1', async () => {
    const board = await openBoard();
    expect([await take(board), await take(board), await take(board)]).toEqual([1, 2, 3]);
    await board.slots.release(2, alice, false);
    expect(await take(board, undefined, bob)).toBe(2);
    expect(await take(board, undefined, bob)).toBe(4);
  });

  test('is one of five unless the settings say otherwise; with none free the error names the holders', async () => {
    const board = await openBoard();
    for (let count = 0; count < 5; count++) await take(board, `w${count + 1}`);
    await expect(take(board, undefined, bob)).rejects.toMatchObject({
      code: 'conflict',
      message:
        'No available worker slots: all 5 are held (1: w1 (session:alice), 2: w2 (session:alice), ' +
        '3: w3 (session:alice), 4: w4 (session:alice), 5: w5 (session:alice)).',
    });
    const small = await openBoard({ env: { AGENT_RUNTIME_WORKER_SLOTS: '1' } });
    await take(small);
    await expect(take(small)).rejects.toMatchObject({ code: 'conflict' });
    expect(await small.slots.list()).toHaveLength(1);
  });

  test('is never given to two of many who ask at the same time', async () => {
    const board = await openBoard({ env: { AGENT_RUNTIME_WORKER_SLOTS: '20' } });
    const asked = await Promise.all(Array.from({ length: 20 }, (_, index) => take(board, `w${index}`)));
    expect([...asked].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test('belongs to the worker that named itself: asking again gives the same', async () => {
    const board = await openBoard();
    const slot = await take(board, 'w');
    board.clock.pass(30_000);
    const again = await board.slots.claim('w', at(alice));
    expect(again).toMatchObject({ slot, heartbeatAt: board.clock.now(), leaseExpiresAt: board.clock.now() + 60_000 });
    await expect(take(board, 'w', bob)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Worker w already holds slot 1, in another session (session:alice).',
    });
  });

  test('taken without a name gets one that is free', async () => {
    const board = await openBoard();
    await board.slots.claim('worker-2', at(alice));
    await board.slots.claim(undefined, at(alice));
    expect((await board.slots.list()).map((slot) => slot.workerId)).toEqual([
      'worker-2',
      'worker-2-b',
      null,
      null,
      null,
    ]);
  });

  test('is listed with its worker, task, session and heartbeat, held or not', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const slot = await take(board, 'w');
    await board.workers.claim({ task: id, workerId: 'w', slot }, alice);
    const [held, free] = await board.slots.list();
    expect(held).toEqual({
      slot: 1,
      workerId: 'w',
      taskId: id,
      taskKey: null,
      holder: 'session:alice',
      heartbeatAt: board.clock.now(),
      leaseExpiresAt: board.clock.now() + 60_000,
    });
    expect(free).toEqual({
      slot: 2,
      workerId: null,
      taskId: null,
      taskKey: null,
      holder: null,
      heartbeatAt: null,
      leaseExpiresAt: null,
    });
  });
});

describe('releasing a slot', () => {
  test('frees it, and its unfinished task is released', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const slot = await take(board, 'w');
    await board.workers.claim({ task: id, workerId: 'w', slot }, alice);
    await board.slots.release(slot, alice, false);
    expect(await board.row(id)).toMatchObject({ status: 'pending', worker_id: null, worker_slot: null, attempts: 0 });
    expect((await board.slots.list())[0]?.workerId).toBeNull();
  });

  test('of a free one or one that does not exist is not_found', async () => {
    const board = await openBoard();
    await expect(board.slots.release(2, alice, false)).rejects.toMatchObject({
      code: 'not_found',
      message: 'Worker slot 2 is not held by anyone.',
    });
    await expect(board.slots.release(9, alice, true)).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no worker slot 9; slots are 1 to 5.',
    });
  });

  test('of another session needs force; of a caller without one it does not', async () => {
    const board = await openBoard();
    const slot = await take(board, 'w');
    await expect(board.slots.release(slot, bob, false)).rejects.toMatchObject({ code: 'conflict' });
    await expect(board.slots.release(slot, shell, false)).rejects.toMatchObject({ code: 'conflict' });
    await board.slots.release(slot, bob, true);
    await take(board, 'script', shell);
    await board.slots.release(slot, bob, false);
    expect((await board.slots.list())[0]?.workerId).toBeNull();
  });
});

describe('a slot that nobody renews', () => {
  test('lapses after a minute, a loose one after fifteen; the task that was claimed from it keeps its own lease', async () => {
    const board = await openBoard();
    await take(board, 'w');
    await take(board, 'script', shell);
    const { id } = await board.add('Task');
    await board.workers.claim({ task: id, workerId: 'script', slot: 2 }, shell);
    board.clock.pass(60_000);
    expect(await board.slots.lapse()).toEqual([1]);
    board.clock.pass(13 * 60_000);
    await board.workers.heartbeat({ task: id, claimToken: 1 }, shell);
    expect(await board.slots.lapse()).toEqual([]);
    board.clock.pass(15 * 60_000);
    expect(await board.slots.lapse()).toEqual([2]);
    expect(await board.row(id)).toMatchObject({ status: 'in_progress', worker_slot: null });
    expect(await board.history('slot', 2)).toEqual(['claimed', 'lapsed']);
  });

  test('is free to the next who asks, without waiting for a sweep', async () => {
    const board = await openBoard({ env: { AGENT_RUNTIME_WORKER_SLOTS: '1' } });
    await take(board, 'w');
    board.clock.pass(60_000);
    expect(await take(board, 'v', bob)).toBe(1);
  });

  for (const hours of [2, -2]) {
    test(`is neither freed nor frozen by a wall clock that is stepped by ${hours} h`, async () => {
      const board = await openBoard();
      await take(board, 'w');
      board.clock.stepWallClock(hours * 3_600_000);
      board.clock.pass(59_999);
      expect(await board.slots.lapse()).toEqual([]);
      board.clock.pass(1);
      expect(await board.slots.lapse()).toEqual([1]);
    });
  }
});

describe('slots and sessions', () => {
  test('a slot of a session that has died since the last sweep is free to the next who asks', async () => {
    const board = await openBoard({ env: { AGENT_RUNTIME_WORKER_SLOTS: '1' } });
    const session = nameSession({ project: '' });
    await board.sessions.begin(session, { project: '' });
    await board.slots.claim('w', { ...session, sessionId: session.id });
    const processes: Processes = {
      self: () => ({ hostId: '', bootId: '', pidNamespace: '', pid: 0, startTime: '' }),
      liveness: () => 'dead',
    };
    const slots = createSlots({ db: board.db, clock: board.clock, limit: 1, processes });
    expect(await slots.claim('w', at(bob))).toMatchObject({ slot: 1, holder: 'session:bob' });
  });

  test('a slot that a resumed conversation has taken over does not end with the process before it', async () => {
    const board = await openBoard();
    const info = { clientSessionId: 'abc', project: '' };
    const [before, resumed] = [nameSession(info), nameSession(info)];
    await board.sessions.begin(before, info);
    await board.slots.claim('w', { ...before, sessionId: before.id });
    await board.sessions.begin(resumed, info);
    await board.slots.claim('w', { ...resumed, sessionId: resumed.id });
    for (const { text, values } of board.sessions.ending(before)) await board.db.run(text, ...values);
    expect((await board.slots.list())[0]?.workerId).toBe('w');
  });
});
