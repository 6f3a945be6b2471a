import { describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import type { Processes } from '../../../src/core/ports.js';
import type { Task } from '../../../src/core/tasks/task.js';
import { alice, type Board, bob, openBoard, shell } from '../tasks/board.js';

async function seated(board: Board, workerId: string, actor: Actor = alice): Promise<number> {
  return (await board.slots.claim(workerId, { ...actor, sessionId: undefined })).slot;
}

const claim = (board: Board, task: number | string, workerId: string, slot: number, actor: Actor = alice) =>
  board.workers.claim({ task, workerId, slot }, actor);

const done = (board: Board, task: number, workerId: string, actor: Actor = alice): Promise<Task> =>
  board.workers.report({ task, workerId, status: 'completed', output: 'done' }, actor);

describe('claiming a task for a worker', () => {
  test('takes it for the worker of the slot, under a new token', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { key: 'TASK-001' });
    const slot = await seated(board, 'worker-1');
    expect(await claim(board, 'TASK-001', 'worker-1', slot)).toMatchObject({
      id,
      status: 'in_progress',
      claimedBy: 'session:alice',
      workerId: 'worker-1',
      workerSlot: 1,
      claimToken: 1,
    });
    expect((await board.slots.list())[0]?.taskId).toBe(id);
  });

  test('needs a slot that is held, and held by that worker of that session', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await expect(claim(board, id, 'w', 1)).rejects.toMatchObject({ code: 'not_found' });
    const slot = await seated(board, 'w');
    await expect(claim(board, id, 'v', slot)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Slot 1 is held by worker w, not by v.',
    });
    await expect(claim(board, id, 'w', slot, bob)).rejects.toMatchObject({ code: 'conflict' });
    expect(await board.statusOf(id)).toEqual(['pending']);
  });

  test('gives a slot that was taken without a name the name of its first worker', async () => {
    const board = await openBoard();
    const [one, two] = [await board.add('One'), await board.add('Two')];
    const { slot } = await board.slots.claim(undefined, { ...alice, sessionId: undefined });
    await claim(board, one.id, 'me', slot);
    expect((await board.slots.list())[0]?.workerId).toBe('me');
    await done(board, one.id, 'me');
    await expect(claim(board, two.id, 'you', slot)).rejects.toMatchObject({ code: 'conflict' });
    const other = await board.slots.claim(undefined, { ...alice, sessionId: undefined });
    await expect(claim(board, two.id, 'me', other.slot)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Worker me holds slot 1 already.',
    });
  });

  test('is refused for a slot that is at work, a waiting task, and one that is done', async () => {
    const board = await openBoard();
    const [one, two] = [await board.add('One', { key: 'one' }), await board.add('Two')];
    const waits = await board.add('Waits', { dependencies: [one.id] });
    const slot = await seated(board, 'w');
    await claim(board, one.id, 'w', slot);
    await expect(claim(board, two.id, 'w', slot)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Slot 1 is at work on task one.',
    });
    const second = await seated(board, 'v');
    await expect(claim(board, waits.id, 'v', second)).rejects.toMatchObject({
      code: 'conflict',
      message: `Task ${waits.id} cannot be claimed. It waits for task one (in_progress).`,
    });
    await expect(claim(board, one.id, 'v', second)).rejects.toMatchObject({ code: 'already_claimed' });
    await done(board, one.id, 'w');
    await expect(claim(board, 'one', 'v', second)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Task one cannot be claimed. It is completed.',
    });
  });

  test('succeeds for each of two who claim different tasks at the same time', async () => {
    const board = await openBoard();
    const [one, two] = [await board.add('One'), await board.add('Two')];
    const [first, second] = [await seated(board, 'w1'), await seated(board, 'w2', bob)];
    const claims = [claim(board, one.id, 'w1', first), claim(board, two.id, 'w2', second, bob)];
    expect((await Promise.all(claims)).map((task) => task.workerId)).toEqual(['w1', 'w2']);
  });

  test('of one task by two at the same time succeeds for one of them', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const [first, second] = [await seated(board, 'w1'), await seated(board, 'w2', bob)];
    const claims = [claim(board, id, 'w1', first), claim(board, id, 'w2', second, bob)];
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await board.row(id)).claim_token).toBe(1);
  });
});

describe('reporting on a task', () => {
  test('ends it, and the slot stays with its worker for the next', async () => {
    const board = await openBoard();
    const [one, two] = [await board.add('One'), await board.add('Two')];
    const slot = await seated(board, 'w');
    await claim(board, one.id, 'w', slot);
    expect(await done(board, one.id, 'w')).toMatchObject({ status: 'completed', result: 'done' });
    expect((await board.slots.list())[0]).toMatchObject({ workerId: 'w', taskId: null });
    await claim(board, two.id, 'w', slot);
    const failed = await board.workers.report({ task: two.id, workerId: 'w', status: 'failed', error: 'no' }, alice);
    expect(failed).toMatchObject({ status: 'failed', error: 'no' });
  });

  test('leaves the expected output beside the real one', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { expectedOutput: 'A file' });
    await claim(board, id, 'w', await seated(board, 'w'));
    expect(await done(board, id, 'w')).toMatchObject({ expectedOutput: 'A file', result: 'done' });
  });

  test('is refused as stale_claim, and writes nothing, for who does not hold it', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { key: 'k' });
    const slot = await seated(board, 'w');
    await expect(done(board, id, 'w')).rejects.toMatchObject({
      code: 'stale_claim',
      message: 'Worker w does not hold task k: it is pending. Nothing was written.',
    });
    await claim(board, id, 'w', slot);
    const before = await board.row(id);
    await expect(done(board, id, 'v')).rejects.toMatchObject({ code: 'stale_claim' });
    await expect(done(board, id, 'w', bob)).rejects.toMatchObject({
      code: 'stale_claim',
      message: 'Worker w does not hold task k: w of session:alice has it. Nothing was written.',
    });
    await expect(
      board.workers.report({ task: id, workerId: 'w', status: 'completed', claimToken: 7 }, alice),
    ).rejects.toMatchObject({ code: 'stale_claim' });
    expect(await board.row(id)).toEqual(before);
    await done(board, id, 'w');
    await expect(done(board, id, 'w')).rejects.toMatchObject({ code: 'stale_claim' });
  });

  test('of a claim that lapsed, or that another worker has since, is stale_claim and writes nothing', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await claim(board, id, 'w', await seated(board, 'w'));
    board.clock.pass(60_000);
    await expect(done(board, id, 'w')).rejects.toMatchObject({ code: 'stale_claim' });
    await claim(board, id, 'w2', await seated(board, 'w2', bob), bob);
    const before = await board.row(id);
    await expect(done(board, id, 'w')).rejects.toMatchObject({ code: 'stale_claim' });
    await expect(
      board.workers.report({ task: id, workerId: 'w', status: 'completed', claimToken: 1 }, alice),
    ).rejects.toMatchObject({ code: 'stale_claim' });
    expect(await board.row(id)).toEqual(before);
  });

  test('works for a caller without a session, which its worker name identifies', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await claim(board, id, 'script', await seated(board, 'script', shell), shell);
    await expect(done(board, id, 'other', shell)).rejects.toMatchObject({ code: 'stale_claim' });
    expect((await done(board, id, 'script', shell)).status).toBe('completed');
  });

  test('by token works from anywhere, such as a script of the worker', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const { claimToken } = await claim(board, id, 'w', await seated(board, 'w'));
    const report = { task: id, workerId: 'w', status: 'completed', claimToken } as const;
    expect((await board.workers.report(report, shell)).status).toBe('completed');
  });
});

describe('releasing a task', () => {
  test('makes it ready at once, without counting the attempt', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const slot = await seated(board, 'w');
    await claim(board, id, 'w', slot);
    expect(await board.workers.release(id, 1, alice)).toMatchObject({ status: 'pending', attempts: 0 });
    expect((await board.slots.list())[0]).toMatchObject({ workerId: 'w', taskId: null });
    await expect(board.workers.release(id, undefined, alice)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('is for its holder alone', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await expect(board.workers.release(id, undefined, bob)).rejects.toMatchObject({ code: 'already_claimed' });
    await expect(board.workers.release(id, undefined, shell)).rejects.toMatchObject({ code: 'already_claimed' });
  });
});

test('a claim that is stuck is released by force, and its holder learns that when it reports', async () => {
  const board = await openBoard();
  const { id } = await board.add('Stuck');
  const { claimToken } = await board.claim(id, alice);
  await expect(board.workers.release(id, undefined, bob)).rejects.toMatchObject({ code: 'already_claimed' });
  expect(await board.workers.release(id, undefined, bob, true)).toMatchObject({ status: 'pending', attempts: 0 });
  const late = { task: id, status: 'completed' as const, claimToken };
  await expect(board.tasks.updateStatus(late, alice)).rejects.toMatchObject({ code: 'stale_claim' });
  expect(await board.history('task', id)).toEqual(['created', 'claimed', 'released']);
  await expect(board.workers.release(id, undefined, bob, true)).rejects.toMatchObject({ code: 'conflict' });
});

test('force does not excuse a token that has been superseded', async () => {
  const board = await openBoard();
  const { id } = await board.add('Task');
  await board.claim(id, alice);
  await board.workers.release(id, undefined, alice);
  await board.claim(id, bob);
  await expect(board.workers.release(id, 1, alice, true)).rejects.toMatchObject({ code: 'stale_claim' });
});

describe('a heartbeat by hand', () => {
  test('renews all that a session holds', async () => {
    const board = await openBoard();
    await board.add('One');
    await board.add('Two');
    await board.take(alice);
    await board.take(alice);
    board.clock.pass(59_000);
    expect(await board.workers.heartbeat({}, alice)).toEqual({ tasks: 2, slots: 0 });
    board.clock.pass(59_000);
    expect(await board.tasks.lapse()).toEqual([]);
  });

  test('renews the claim that a caller without a session shows, and never shortens it', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const { claimToken, leaseExpiresAt } = await board.take(shell, 3_600);
    expect(await board.workers.heartbeat({ task: id, claimToken }, shell)).toEqual({ tasks: 1, slots: 0 });
    expect((await board.tasks.get(id)).leaseExpiresAt).toBe(leaseExpiresAt);
    board.clock.pass(3_500_000);
    await board.workers.heartbeat({ task: id, claimToken }, shell);
    expect((await board.tasks.get(id)).leaseExpiresAt).toBe(board.clock.now() + 15 * 60_000);
  });

  test("gives a session's claim no more than its own heartbeat would, so that a dead one's still lapses soon", async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.take(alice);
    await board.workers.heartbeat({ task: id }, alice);
    expect((await board.tasks.get(id)).leaseExpiresAt).toBe(board.clock.now() + 60_000);
  });

  test('of a caller that has nothing to show, or of a claim that is over, is refused', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await expect(board.workers.heartbeat({}, shell)).rejects.toMatchObject({ code: 'invalid' });
    await expect(board.workers.heartbeat({ task: id, claimToken: undefined }, shell)).rejects.toMatchObject({
      code: 'stale_claim',
    });
    const { claimToken } = await board.take(shell, 5);
    await expect(board.workers.heartbeat({ task: id }, shell)).rejects.toMatchObject({ code: 'already_claimed' });
    board.clock.pass(5_000);
    await expect(board.workers.heartbeat({ task: id, claimToken }, shell)).rejects.toMatchObject({
      code: 'stale_claim',
    });
  });
});

describe('resetting a task', () => {
  test('that failed or was cancelled makes it ready with fresh attempts, and its dependents wait again', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { maxAttempts: 1 });
    const after = await board.add('After', { dependencies: [id], onDependencyFailure: 'cancel' });
    await board.take(alice);
    await board.end(id, 'failed');
    expect(await board.statusOf(after.id)).toEqual(['cancelled']);
    expect(await board.workers.reset(id, bob)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await board.statusOf(after.id)).toEqual(['pending']);
    await board.end(id, 'cancelled');
    expect((await board.workers.reset(id, bob)).status).toBe('pending');
  });

  test('in progress is refused while its holder lives', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await expect(board.workers.reset(id, bob)).rejects.toMatchObject({ code: 'already_claimed' });
  });

  test('of a dead holder makes it ready, even at its last attempt', async () => {
    let liveness: ReturnType<Processes['liveness']> = 'alive';
    const self = { hostId: 'h', bootId: 'boot-1', pidNamespace: '', pid: 1, startTime: '1' };
    const board = await openBoard({ processes: { self: () => self, liveness: () => liveness } });
    const session = nameSession({ project: '' });
    await board.sessions.begin(session, { project: '' });
    const { id } = await board.add('Task', { maxAttempts: 1 });
    await board.take(session);
    await expect(board.workers.reset(id, bob)).rejects.toMatchObject({ code: 'already_claimed' });
    liveness = 'dead';
    expect(await board.workers.reset(id, bob)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await board.history('task', id)).toEqual(['created', 'claimed', 'lapsed']);
  });

  test('whose lease has expired makes it ready', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { maxAttempts: 1 });
    await board.take(shell, 5);
    board.clock.pass(5_000);
    expect((await board.workers.reset(id, bob)).status).toBe('pending');
  });

  test('that is ready or done is a conflict that says so', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await expect(board.workers.reset(id, bob)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`Task ${id} is pending`),
    });
    await board.end(id, 'completed');
    await expect(board.workers.reset(id, bob)).rejects.toMatchObject({ code: 'conflict' });
    await expect(board.workers.reset('nope', bob)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('one board for both ways of working', () => {
  test('a task of a plan is claimed through a slot, and a task with a key is completed by update_task_status', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const planned = await board.add('Planned', { goalId: goal.id });
    const keyed = await board.add('Keyed', { key: 'auth-api', dependencies: [planned.id] });
    await claim(board, String(planned.id), 'w', await seated(board, 'w'));
    await done(board, planned.id, 'w');
    await board.claim(keyed.id, bob);
    await board.end(keyed.id, 'completed', bob);
    expect((await board.goals.get(goal.id)).status).toBe('completed');
  });
});
