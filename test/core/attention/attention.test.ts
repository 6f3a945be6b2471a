import { describe, expect, test } from 'vitest';
import { acknowledge, readAttention, unacknowledge } from '../../../src/core/attention/attention.js';
import type { NeedKind } from '../../../src/core/attention/need-sources.js';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { submitJob } from '../../../src/core/jobs/submit-job.js';
import { alice, type Board, bob, openBoard, shell } from '../tasks/board.js';

const kindsOf = async (board: Board) =>
  Object.fromEntries((await readAttention(board, 5)).kinds.map(({ kind, count }) => [kind, count]));

const note = (board: Board, kind: NeedKind, ids?: string[]) =>
  board.db.transaction((sql) => acknowledge(sql, { kind, ids }, { at: board.clock.now() }));

/** A job that has ended, as if a runner had done it. */
async function endedJob(board: Board, status: 'completed' | 'failed', submittedBy: string | null, more = '') {
  const job = { type: 'llm', payload: { prompt: `Say ${status}.` } };
  const { row } = await board.db.transaction((sql) =>
    submitJob(sql, job, { holder: submittedBy, project: '' }, board.clock),
  );
  await board.db.run(
    `update jobs set status = ?, completed_at = ?, error_message = case when ? = 'failed' then 'no key' end ${more} where id = ?`,
    status,
    board.clock.now(),
    status,
    row.id,
  );
  return row.id;
}

describe('what needs a person', () => {
  test('is nothing on an empty board', async () => {
    expect(await readAttention(await openBoard(), 5)).toEqual({ kinds: [], nextAt: null });
  });

  test('is a failed task, until it is on the board again or its goal is over', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const task = await board.add('Ask the office', { goalId: goal.id });
    await board.claim(task.id, alice);
    await board.tasks.updateStatus({ task: task.id, status: 'failed', error: 'Nobody answers.' }, alice);
    const { kinds } = await readAttention(board, 5);
    expect(kinds).toMatchObject([
      {
        kind: 'failed_task',
        count: 1,
        needs: [
          {
            id: String(task.id),
            name: 'Ask the office',
            detail: 'Nobody answers.',
            since: board.clock.now(),
            goalId: goal.id,
          },
        ],
      },
    ]);
    await board.goals.edit(goal.id, { status: 'cancelled' }, alice);
    expect(await kindsOf(board)).toEqual({});
  });

  test('is a task from the moment of its deadline, which is said before', async () => {
    const board = await openBoard();
    const deadlineAt = board.clock.now() + 60_000;
    await board.add('Be quick', { deadlineAt });
    expect(await readAttention(board, 5)).toEqual({ kinds: [], nextAt: deadlineAt });
    board.clock.pass(60_000);
    expect(await readAttention(board, 5)).toMatchObject({
      kinds: [{ kind: 'overdue_task', needs: [{ name: 'Be quick', since: deadlineAt }] }],
      nextAt: null,
    });
  });

  test('is the claim of a session that has ended, not that of one that works', async () => {
    const board = await openBoard();
    const session = nameSession({ project: '' });
    await board.sessions.begin(session, { project: '' });
    const task = await board.add('Dig');
    await board.claim(task.id, session);
    expect(await kindsOf(board)).toEqual({});
    await board.sessions.end(session);
    expect(await kindsOf(board)).toEqual({ stale_claim: 1 });
    await board.workers.release(task.id, undefined, shell, true);
    expect(await kindsOf(board)).toEqual({});
  });

  test('is a breaker that was tripped by hand, a spent budget and a message to the user', async () => {
    const board = await openBoard();
    await board.breakers.trip('model:anthropic', { reason: 'the bill', mustHold: true }, alice);
    const goal = await board.goals.create({ name: 'Spend', description: '', tokenBudget: 10 }, alice);
    const task = await board.add('Spend it', { goalId: goal.id });
    await board.claim(task.id, alice);
    await board.tasks.updateStatus({ task: task.id, status: 'completed', result: 'r', tokensUsed: 12 }, alice);
    await board.goals.edit(goal.id, { status: 'active' }, alice);
    await board.messages.send({ to: 'user', subject: 'Which colour?', body: 'Red or blue?' }, bob);
    const { kinds } = await readAttention(board, 5);
    expect(kinds.map(({ kind }) => kind)).toEqual(['message', 'held_breaker', 'spent_budget']);
    expect(kinds.flatMap(({ needs }) => needs)).toMatchObject([
      { name: 'Which colour?', detail: 'Red or blue?', who: 'session:bob' },
      { name: 'model:anthropic', detail: 'the bill' },
      { name: 'Spend', spent: 12, cap: 10 },
    ]);
  });

  test('is a schedule whose last firing has failed, until it was seen and fails again, or fires', async () => {
    const board = await openBoard();
    const definition = {
      name: 'nightly',
      project: '',
      kind: 'goal' as const,
      request: { template: 'review' },
      requires: null,
      cron: '0 * * * *',
      timezone: 'UTC',
      missed: 'skip' as const,
      overlap: 'allow' as const,
      status: 'active' as const,
      nextAt: board.clock.now(),
    };
    const { id } = await board.schedules.save(definition, undefined, alice);
    const fire = async (isRefused: boolean) => {
      const schedule = await board.schedules.get('nightly', '');
      board.clock.pass(Math.max(0, (schedule.nextAt ?? 0) - board.clock.now()));
      const plan = await board.schedules.plan(schedule);
      if (!isRefused) return board.schedules.fire(schedule, plan, async () => 'run');
      return board.schedules.fail(schedule, plan, { code: 'not_found', message: 'No template is called review.' });
    };
    expect(await kindsOf(board)).toEqual({});
    await fire(true);
    const { kinds } = await readAttention(board, 5);
    const need = { id, name: 'nightly', detail: 'No template is called review.', since: board.clock.now() };
    expect(kinds).toMatchObject([{ kind: 'failed_schedule', count: 1, needs: [need] }]);
    await note(board, 'failed_schedule', [id]);
    expect(await kindsOf(board)).toEqual({});
    expect(await board.history('schedule', id)).toEqual(['created', 'failed', 'acknowledged']);
    await fire(true);
    expect(await kindsOf(board)).toEqual({ failed_schedule: 1 });
    await fire(false);
    expect(await kindsOf(board)).toEqual({});
  });

  test('is a failed job, a dead one, and an answer for which no session waits any more', async () => {
    const board = await openBoard();
    const session = nameSession({ project: '' });
    await board.sessions.begin(session, { project: '' });
    await endedJob(board, 'completed', session.holder);
    const failed = await endedJob(board, 'failed', null);
    const dead = await endedJob(board, 'failed', null, ', is_dead = 1');
    expect(await kindsOf(board)).toEqual({ dead_job: 1, failed_job: 1 });
    await board.sessions.end(session);
    const { kinds } = await readAttention(board, 5);
    expect(kinds.map(({ kind, needs }) => [kind, needs[0]?.id, needs[0]?.detail])).toEqual([
      ['dead_job', dead, 'no key'],
      ['failed_job', failed, 'no key'],
      ['unread_answer', expect.any(String), null],
    ]);
  });

  test('lists a few of each kind, the newest first, and counts all', async () => {
    const board = await openBoard();
    for (let index = 1; index <= 7; index++) {
      const task = await board.add(`Task ${index}`);
      await board.claim(task.id, alice);
      board.clock.pass(1_000);
      await board.end(task.id, 'failed');
    }
    const [failed] = (await readAttention(board, 3)).kinds;
    expect(failed?.count).toBe(7);
    expect(failed?.needs.map(({ name }) => name)).toEqual(['Task 7', 'Task 6', 'Task 5']);
  });
});

describe('an acknowledgement', () => {
  test('settles a need until it comes up again, is told in its history, and can be taken back', async () => {
    const board = await openBoard();
    const task = await board.add('Fragile');
    await board.claim(task.id, alice);
    await board.end(task.id, 'failed');
    expect(await note(board, 'failed_task', [String(task.id)])).toEqual([String(task.id)]);
    expect(await kindsOf(board)).toEqual({});
    const undo = { kind: 'failed_task', ids: [String(task.id)] } as const;
    await board.db.transaction((sql) => unacknowledge(sql, undo, { at: board.clock.now() }));
    expect(await kindsOf(board)).toEqual({ failed_task: 1 });
    await note(board, 'failed_task');
    expect(await kindsOf(board)).toEqual({});
    board.clock.pass(1_000);
    await board.tasks.updateStatus({ task: task.id, status: 'pending' }, alice);
    await board.claim(task.id, alice);
    await board.end(task.id, 'failed');
    expect(await kindsOf(board)).toEqual({ failed_task: 1 });
    expect(await board.history('task', task.id)).toEqual(
      expect.arrayContaining(['acknowledged', 'acknowledgement_undone']),
    );
  });

  test('of an answer leaves it unread for the session that has asked, and reads what a person has asked for', async () => {
    const board = await openBoard();
    const ofSession = await endedJob(board, 'completed', 'session:gone');
    const ofPerson = await endedJob(board, 'completed', 'user:ada');
    expect(await kindsOf(board)).toEqual({ unread_answer: 2 });
    expect((await note(board, 'unread_answer')).toSorted()).toEqual([ofSession, ofPerson].toSorted());
    expect(await kindsOf(board)).toEqual({});
    const isRead = async (id: string) => (await board.jobs.get(id)).isRead;
    expect([await isRead(ofSession), await isRead(ofPerson)]).toEqual([false, true]);
    const undo = { kind: 'unread_answer', ids: [ofSession, ofPerson] } as const;
    await board.db.transaction((sql) => unacknowledge(sql, undo, { at: board.clock.now() }));
    expect([await isRead(ofSession), await isRead(ofPerson)]).toEqual([false, false]);
  });

  test('of what does not exist is refused, and nothing is acknowledged', async () => {
    const board = await openBoard();
    const task = await board.add('There');
    await expect(note(board, 'failed_task', [String(task.id), '77'])).rejects.toThrow('There is no task "77".');
    await expect(note(board, 'failed_task', ['seven'])).rejects.toThrow('There is no task "seven".');
    expect(await board.db.all('select * from acknowledgements')).toEqual([]);
  });

  test('goes with its subject when ended work is purged', async () => {
    const board = await openBoard();
    const job = await endedJob(board, 'failed', null);
    const task = await board.add('Stays');
    await board.claim(task.id, alice);
    await board.tasks.updateStatus({ task: task.id, status: 'failed', error: 'e' }, alice);
    await note(board, 'failed_job', [job]);
    await note(board, 'failed_task');
    board.clock.pass(10_000);
    await board.add('After it', { dependencies: [task.id] });
    await board.maintenance.purge(board.clock.now(), alice);
    expect(await board.db.all('select kind from acknowledgements')).toEqual([{ kind: 'failed_task' }]);
  });
});
