import { describe, expect, test } from 'vitest';
import { alice, bob, openBoard, shell } from './board.js';

describe('the next task', () => {
  test('is the one of the highest priority, then the oldest', async () => {
    const board = await openBoard();
    const low = await board.add('Low', { priority: 1 });
    const first = await board.add('First of the high', { priority: 9 });
    const second = await board.add('Second of the high', { priority: 9 });
    const order: number[] = [];
    for (let count = 0; count < 3; count++) order.push((await board.take(alice)).id);
    expect(order).toEqual([first.id, second.id, low.id]);
  });

  test('is not taken by looking at it', async () => {
    const board = await openBoard();
    const task = await board.add('Only');
    const before = await board.row(task.id);
    expect((await board.tasks.next({}))?.id).toBe(task.id);
    expect((await board.tasks.next({}))?.id).toBe(task.id);
    expect(await board.row(task.id)).toEqual(before);
  });

  test('is never handed to two callers', async () => {
    const board = await openBoard();
    for (let count = 0; count < 20; count++) await board.add(`Task ${count}`);
    const claims = Array.from({ length: 30 }, (_, index) => board.tasks.claimNext({}, {}, index % 2 ? alice : bob));
    const taken = (await Promise.all(claims)).flatMap((task) => task?.id ?? []);
    expect(taken).toHaveLength(20);
    expect(new Set(taken).size).toBe(20);
  });

  test('is found below any number of blocked ones', async () => {
    const board = await openBoard();
    const held = await board.add('Holds the others', { priority: 1 });
    const blocked = Array.from({ length: 60 }, (_, index) => ({
      title: `Blocked ${index}`,
      priority: 10,
      dependencies: [held.id],
    }));
    await board.tasks.create(blocked, alice);
    expect((await board.tasks.next({}))?.id).toBe(held.id);
    expect((await board.take(alice)).id).toBe(held.id);
  });

  test('is handed out again after it failed and was set back to pending', async () => {
    const board = await openBoard();
    const task = await board.add('Retry me');
    await board.take(alice);
    await board.end(task.id, 'failed');
    await board.end(task.id, 'pending');
    expect((await board.take(bob)).id).toBe(task.id);
    await board.end(task.id, 'cancelled');
    await board.end(task.id, 'pending');
    expect((await board.take(alice)).id).toBe(task.id);
  });

  test('is not ready before all it depends on is done, and comes with what that left for it', async () => {
    const board = await openBoard();
    const one = await board.add('One', { priority: 9 });
    const two = await board.add('Two', { priority: 8 });
    const last = await board.add('Last', { priority: 10, dependencies: [one.id, two.id] });
    await board.tasks.updateStatus({ task: one.id, status: 'completed', result: 'first part' }, alice);
    expect((await board.tasks.next({}))?.id).toBe(two.id);
    await board.tasks.updateStatus({ task: two.id, status: 'completed', result: 'second part' }, alice);
    const claimed = await board.take(alice);
    expect(claimed.id).toBe(last.id);
    expect(claimed.dependencyResults).toEqual([
      { id: one.id, title: 'One', status: 'completed', result: 'first part', error: null },
      { id: two.id, title: 'Two', status: 'completed', result: 'second part', error: null },
    ]);
  });
});

describe('a claim', () => {
  test('says who holds it, since when, for how long and under which token', async () => {
    const board = await openBoard();
    await board.add('Task');
    const claimed = await board.tasks.claimNext({}, { workerId: 'w1' }, alice);
    expect(claimed).toMatchObject({
      status: 'in_progress',
      claimedBy: 'session:alice',
      workerId: 'w1',
      claimToken: 1,
      attempts: 1,
      startedAt: board.clock.now(),
      leaseExpiresAt: board.clock.now() + 60_000,
    });
  });

  test('of a caller without a session lives as long as it asked for, fifteen minutes unless it did', async () => {
    const board = await openBoard();
    await board.add('A');
    await board.add('B');
    const shell = { holder: null, project: '' };
    const asked = await board.tasks.claimNext({}, { workerId: 'w', leaseSeconds: 5 }, shell);
    expect(asked).toMatchObject({ claimedBy: 'loose:w', leaseExpiresAt: board.clock.now() + 5_000 });
    const granted = await board.tasks.claimNext({}, {}, shell);
    expect(granted).toMatchObject({ claimedBy: 'loose:caller', leaseExpiresAt: board.clock.now() + 15 * 60_000 });
  });

  test('of a session lives at least as long as its heartbeat needs to renew it', async () => {
    const board = await openBoard();
    await board.add('A');
    await board.add('B');
    const short = await board.tasks.claimNext({}, { leaseSeconds: 5 }, alice);
    expect(short?.leaseExpiresAt).toBe(board.clock.now() + 60_000);
    const long = await board.tasks.claimNext({}, { leaseSeconds: 3_600 }, alice);
    expect(long?.leaseExpiresAt).toBe(board.clock.now() + 3_600_000);
  });

  test('keeps the time at which work first began', async () => {
    const board = await openBoard();
    const task = await board.add('Task');
    await board.take(alice);
    const began = board.clock.now();
    await board.end(task.id, 'pending');
    board.clock.pass(5_000);
    expect(await board.take(bob)).toMatchObject({ startedAt: began, claimToken: 2, attempts: 1 });
  });
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

describe('with nothing ready', () => {
  test('says how many wait, are claimed, are blocked by a failure, and may not start yet', async () => {
    const board = await openBoard();
    const [claimed, failed] = [await board.add('Claimed'), await board.add('Failed')];
    await board.add('Waits', { dependencies: [claimed.id] });
    await board.add('Blocked', { dependencies: [failed.id] });
    await board.add('Blocked and waiting', { dependencies: [failed.id, claimed.id] });
    const soon = board.clock.now() + 60_000;
    await board.add('Later', { notBefore: soon + 1 });
    await board.add('Soon', { notBefore: soon });
    await board.claim(claimed.id, alice);
    await board.claim(failed.id, alice);
    await board.end(failed.id, 'failed');
    expect(await board.tasks.claimNext({}, {}, bob)).toBeUndefined();
    expect(await board.tasks.waitingReasons({})).toEqual({
      waiting: 1,
      claimed: 1,
      blockedByFailure: 2,
      notBefore: 2,
      nextStartAt: soon,
    });
  });

  test('a goal that does not exist is an error, not an empty board', async () => {
    const board = await openBoard();
    await expect(board.tasks.next({ goalId: 5 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(board.tasks.claimNext({ goalId: 5 }, {}, alice)).rejects.toMatchObject({ code: 'not_found' });
    await expect(board.tasks.list({ goalId: 5, limit: 5 })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('explains a single waiting task by what it waits for', async () => {
    const board = await openBoard();
    const first = await board.add('First');
    const task = await board.add('Second', { dependencies: [first.id] });
    expect(await board.tasks.get(task.id)).toMatchObject({
      isReady: false,
      waitsBecause: `It waits for task ${first.id} (pending).`,
    });
    expect(await board.tasks.get(first.id)).toMatchObject({ isReady: true, dependents: [task.id] });
  });
});

describe('scheduled tasks', () => {
  test('are not handed out before their time', async () => {
    const board = await openBoard();
    const task = await board.add('Tomorrow', { notBefore: board.clock.now() + 1_000 });
    expect(await board.tasks.claimNext({}, {}, alice)).toBeUndefined();
    expect(await board.tasks.get(task.id)).toMatchObject({
      isReady: false,
      waitsBecause: expect.stringContaining('must not start before'),
    });
    board.clock.pass(1_000);
    expect((await board.tasks.next({}))?.id).toBe(task.id);
    expect((await board.take(alice)).id).toBe(task.id);
  });

  test('follow the wall clock, which they were given in; once released they stay so', async () => {
    const board = await openBoard();
    const { id } = await board.add('Tomorrow', { notBefore: board.clock.now() + 7_200_000 });
    board.clock.stepWallClock(7_200_000);
    expect((await board.tasks.next({}))?.id).toBe(id);
    board.clock.stepWallClock(-7_200_000);
    expect(await board.tasks.get(id)).toMatchObject({ isReady: true, waitsBecause: undefined });
    expect((await board.take(alice)).id).toBe(id);
  });

  test('that are overdue come first within their priority, and never before a higher one', async () => {
    const board = await openBoard();
    const old = await board.add('Old', { priority: 5 });
    const due = await board.add('Due', { priority: 5, deadlineAt: board.clock.now() + 1_000 });
    const high = await board.add('High', { priority: 6 });
    const ids = async () => (await board.tasks.ready({}, { limit: 10 })).map((task) => task.id);
    expect(await ids()).toEqual([high.id, old.id, due.id]);
    board.clock.pass(1_000);
    expect(await ids()).toEqual([high.id, due.id, old.id]);
    expect((await board.take(alice)).id).toBe(high.id);
    expect((await board.take(alice)).id).toBe(due.id);
  });

  test('are no longer overdue when their deadline is moved or taken away', async () => {
    const board = await openBoard();
    const old = await board.add('Old');
    const due = await board.add('Due', { deadlineAt: board.clock.now() - 1 });
    expect((await board.tasks.next({}))?.id).toBe(due.id);
    await board.tasks.edit(due.id, { deadlineAt: board.clock.now() + 60_000 }, alice);
    expect((await board.tasks.next({}))?.id).toBe(old.id);
    await board.tasks.edit(due.id, { deadlineAt: board.clock.now() - 1 }, alice);
    expect((await board.tasks.next({}))?.id).toBe(due.id);
    await board.tasks.edit(due.id, { deadlineAt: null }, alice);
    expect((await board.tasks.next({}))?.id).toBe(old.id);
  });
});

describe('scope', () => {
  test('a project is given its own tasks and those of none, in one order', async () => {
    const board = await openBoard();
    const inA = { ...alice, project: '/a' };
    await board.add('Of another project', { priority: 10 }, { ...alice, project: '/b' });
    const own = await board.add('Own', { priority: 3 }, inA);
    const common = await board.add('Common', { priority: 7 });
    const scope = { project: '/a' };
    expect((await board.tasks.ready(scope, { limit: 10 })).map((task) => task.id)).toEqual([common.id, own.id]);
    expect((await board.tasks.claimNext(scope, {}, inA))?.id).toBe(common.id);
    expect((await board.tasks.claimNext(scope, {}, inA))?.id).toBe(own.id);
    expect(await board.tasks.claimNext(scope, {}, inA)).toBeUndefined();
    expect(await board.tasks.waitingReasons(scope)).toMatchObject({ claimed: 2, waiting: 0 });
  });

  test('a goal is worked on by itself, whatever its project', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '', project: '/z' }, alice);
    await board.add('Elsewhere', { priority: 10 });
    const task = await board.add('In the goal', { goalId: goal.id });
    expect((await board.tasks.claimNext({ goalId: goal.id, project: '/a' }, {}, alice))?.id).toBe(task.id);
    expect(await board.tasks.next({ goalId: goal.id })).toBeUndefined();
  });
});
