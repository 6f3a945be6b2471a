import { describe, expect, test } from 'vitest';
import { type TaskStatus, taskStatuses } from '../../../src/core/tasks/task.js';
import { alice, type Board, bob, openBoard, shell } from './board.js';

/** A task in a status, held by alice where it is held. */
async function taskIn(board: Board, status: TaskStatus): Promise<number> {
  const { id } = await board.add(`Was ${status}`);
  if (status === 'pending') return id;
  await board.claim(id, alice);
  if (status !== 'in_progress') await board.end(id, status, alice);
  return id;
}

const legal: Record<TaskStatus, readonly TaskStatus[]> = {
  pending: taskStatuses,
  in_progress: taskStatuses,
  completed: ['completed', 'pending'],
  failed: ['failed', 'pending'],
  cancelled: ['cancelled', 'pending'],
};

describe('moving a task', () => {
  test('to completed clears the error of an attempt that had failed', async () => {
    const board = await openBoard();
    const { id } = await board.add('Twice');
    await board.tasks.updateStatus({ task: id, status: 'failed', error: 'boom' }, alice);
    await board.tasks.updateStatus({ task: id, status: 'pending' }, alice);
    await board.tasks.updateStatus({ task: id, status: 'completed', result: 'done' }, alice);
    expect(await board.tasks.get(id)).toMatchObject({ status: 'completed', result: 'done', error: null });
  });

  for (const from of taskStatuses) {
    for (const to of taskStatuses) {
      const isLegal = legal[from].includes(to);
      test(`from ${from} to ${to} is ${isLegal ? 'allowed' : 'a conflict and changes nothing'}`, async () => {
        const board = await openBoard();
        const id = await taskIn(board, from);
        board.clock.pass(1_000);
        const before = await board.row(id);
        if (isLegal) {
          expect((await board.end(id, to, alice)).status).toBe(to);
        } else {
          await expect(board.end(id, to, alice)).rejects.toMatchObject({
            code: 'conflict',
            message: `Task ${id} is ${from} and cannot become ${to}.`,
          });
          expect(await board.row(id)).toEqual(before);
        }
      });
    }
  }

  test('of an id that does not exist is not_found', async () => {
    const board = await openBoard();
    await expect(board.end(41, 'completed')).rejects.toMatchObject({
      code: 'not_found',
      message: 'No task has id 41.',
      hint: 'Call list_tasks to see the tasks there are.',
    });
  });

  test('to an end is refused while it waits, saying for what', async () => {
    const board = await openBoard();
    const first = await board.add('First');
    const { id } = await board.add('Second', { dependencies: [first.id] });
    for (const status of ['in_progress', 'completed', 'failed'] as const) {
      await expect(board.end(id, status)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(`It waits for task ${first.id} (pending).`),
      });
    }
    expect((await board.end(id, 'cancelled')).status).toBe('cancelled');
  });
});

describe('times', () => {
  test('started_at is the first start, completed_at the last end', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    const started = board.clock.now();
    board.clock.pass(1_000);
    await board.end(id, 'failed');
    const failed = board.clock.now();
    expect(await board.row(id)).toMatchObject({ started_at: started, completed_at: failed });
    await board.end(id, 'pending');
    expect(await board.row(id)).toMatchObject({ started_at: started, completed_at: null });
    board.clock.pass(1_000);
    await board.claim(id, bob);
    await board.end(id, 'completed', bob);
    expect(await board.row(id)).toMatchObject({ started_at: started, completed_at: board.clock.now() });
  });
});

describe('result and error', () => {
  test('stay as they are when a later update leaves them out', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await board.tasks.updateStatus({ task: id, status: 'failed', result: 'half', error: 'no disk' }, alice);
    await board.end(id, 'pending');
    expect(await board.tasks.get(id)).toMatchObject({ result: 'half', error: 'no disk' });
    await board.claim(id, alice);
    await board.end(id, 'completed');
    expect(await board.tasks.get(id)).toMatchObject({ result: 'half', error: null });
  });

  test('are kept with every step, not only the last', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    const report = (status: TaskStatus, result: string) =>
      board.tasks.updateStatus({ task: id, status, result, tokensUsed: 10 }, alice);
    expect((await report('in_progress', 'started')).result).toBe('started');
    expect((await report('in_progress', 'half')).result).toBe('half');
    expect((await report('pending', 'handed back')).result).toBe('handed back');
    await board.claim(id, alice);
    await board.end(id, 'failed');
    expect((await report('pending', 'opened again')).result).toBe('opened again');
    expect(await board.tasks.get(id)).toMatchObject({ result: 'opened again', tokensUsed: 40 });
  });
});

describe('a repeated call', () => {
  test('whose first answer was lost succeeds and writes nothing', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    const update = { task: id, status: 'completed', result: 'done', tokensUsed: 5 } as const;
    await board.tasks.updateStatus(update, alice);
    const before = await board.row(id);
    board.clock.pass(1_000);
    await board.tasks.updateStatus(update, alice);
    expect(await board.row(id)).toEqual(before);
    expect(await board.history('task', id)).toEqual(['created', 'claimed', 'completed']);
  });

  test('of a caller without a session succeeds too, as long as it says the same', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.tasks.updateStatus({ task: id, status: 'completed', result: 'done' }, shell);
    await board.tasks.updateStatus({ task: id, status: 'completed', result: 'done' }, shell);
    await expect(
      board.tasks.updateStatus({ task: id, status: 'completed', result: 'other' }, shell),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect((await board.tasks.get(id)).result).toBe('done');
  });

  test('may add to the result as long as it comes from who did it', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await board.end(id, 'completed');
    await board.tasks.updateStatus({ task: id, status: 'completed', result: 'late' }, alice);
    expect((await board.tasks.get(id)).result).toBe('late');
  });

  test('of in_progress by its holder keeps claim and token', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    board.clock.pass(30_000);
    expect(await board.claim(id, alice)).toMatchObject({
      claimToken: 1,
      attempts: 1,
      leaseExpiresAt: board.clock.now() + 60_000,
    });
  });
});

describe('work of another', () => {
  test('in progress is already_claimed, with who holds it and until when', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    const before = await board.row(id);
    for (const status of ['in_progress', 'completed', 'failed', 'pending'] as const) {
      await expect(board.end(id, status, bob)).rejects.toMatchObject({
        code: 'already_claimed',
        message: `Task ${id} is held by session:alice until 2026-11-20T12:01:00.000Z, unless it renews.`,
      });
      await expect(board.end(id, status, shell)).rejects.toMatchObject({ code: 'already_claimed' });
    }
    expect(await board.row(id)).toEqual(before);
  });

  test('in progress may be cancelled by anyone', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    expect((await board.end(id, 'cancelled', bob)).status).toBe('cancelled');
    await expect(board.end(id, 'completed', alice)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('that is done is not overwritten by a second one who peeked at it and did it as well', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.tasks.updateStatus({ task: id, status: 'completed', result: "alice's" }, alice);
    await expect(
      board.tasks.updateStatus({ task: id, status: 'completed', result: "bob's" }, bob),
    ).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('session:alice') });
    await expect(board.end(id, 'completed', bob)).rejects.toMatchObject({ code: 'conflict' });
    expect((await board.tasks.get(id)).result).toBe("alice's");
  });

  test('that failed keeps the reason its worker gave', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await board.tasks.updateStatus({ task: id, status: 'failed', error: 'no disk' }, alice);
    await expect(
      board.tasks.updateStatus({ task: id, status: 'failed', error: 'I think so too' }, bob),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect((await board.tasks.get(id)).error).toBe('no disk');
  });
});

describe('work done without a claim', () => {
  test('is recorded as claimed by who says it is done', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.end(id, 'completed', alice);
    expect(await board.row(id)).toMatchObject({ claimed_by: 'session:alice', claim_token: 1, attempts: 1 });
    expect(await board.history('task', id)).toEqual(['created', 'claimed', 'completed']);
  });
});

describe('a note', () => {
  test('is kept in the history, with who wrote it', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task');
    await board.tasks.updateStatus({ task: id, status: 'in_progress', note: 'going well' }, alice);
    const note = await board.db.get(
      'select actor, data from events where subject_id = ? and type = ?',
      `${id}`,
      'note',
    );
    expect(note).toEqual({ actor: 'session:alice', data: '{"note":"going well"}' });
  });
});

describe('a completed task that is reopened', () => {
  test('is ready again with its result as a draft, and pending tasks wait for it again', async () => {
    const board = await openBoard();
    const first = await board.add('First');
    const next = await board.add('Next', { dependencies: [first.id] });
    await board.tasks.updateStatus({ task: first.id, status: 'completed', result: 'Half.' }, alice);
    expect((await board.tasks.get(next.id)).isReady).toBe(true);
    await board.tasks.updateStatus({ task: first.id, status: 'pending', note: 'The sources are missing.' }, alice);
    const reopened = await board.tasks.get(first.id);
    expect(reopened).toMatchObject({
      status: 'pending',
      isReady: true,
      result: 'Half.',
      attempts: 0,
      completedAt: null,
    });
    expect(reopened.history.attempts).toMatchObject([{ outcome: 'completed' }]);
    expect(await board.tasks.get(next.id)).toMatchObject({ isReady: false, unfinishedDependencies: 1 });
    await board.end(first.id, 'completed', alice);
    expect((await board.tasks.get(next.id)).isReady).toBe(true);
  });

  test('makes its completed goal active again', async () => {
    const board = await openBoard();
    const { id: goalId } = await board.goals.create({ name: 'G', description: '' }, alice);
    const { id } = await board.add('Only', { goalId });
    await board.end(id, 'completed', alice);
    expect((await board.goals.get(goalId)).status).toBe('completed');
    await board.end(id, 'pending', alice);
    expect((await board.goals.get(goalId)).status).toBe('active');
  });
});

test('a task that was found during another is linked to it, and neither waits for the other', async () => {
  const board = await openBoard();
  const origin = await board.add('Origin');
  const found = await board.add('Found', { discoveredFrom: origin.id });
  expect(await board.tasks.get(found.id)).toMatchObject({ discoveredFrom: origin.id, isReady: true, dependencies: [] });
  expect((await board.tasks.get(origin.id)).isReady).toBe(true);
  await expect(board.add('Lost', { discoveredFrom: 99 })).rejects.toMatchObject({ code: 'not_found' });
});
