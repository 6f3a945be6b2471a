import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { nameSession, type Session, type SessionInfo } from '../../../src/core/coordination/sessions.js';
import type { Processes, ProcessIdentity } from '../../../src/core/ports.js';
import { systemProcesses } from '../../../src/runner/identity.js';
import { buildChild, startChild } from '../../support/child.js';
import { testRuntime } from '../../support/test-runtime.js';
import { type Board, bob, openBoard } from '../tasks/board.js';

const child = fileURLToPath(new URL('../../load/children/session.ts', import.meta.url));
const hours = 3_600_000;

async function begin(board: Board, info: Partial<SessionInfo> = {}): Promise<Session> {
  const session = nameSession({ project: '', ...info });
  await board.sessions.begin(session, { project: '', ...info });
  return session;
}

/** Processes that are what a test says they are. */
function staged(liveness: ReturnType<Processes['liveness']>): Processes & { say(now: typeof liveness): void } {
  let said = liveness;
  const self: ProcessIdentity = { hostId: 'h', bootId: 'boot-1', pidNamespace: '', pid: 1, startTime: '1' };
  return {
    self: () => self,
    liveness: () => said,
    say: (now) => {
      said = now;
    },
  };
}

describe('a session', () => {
  test('is a row with its client, its project and the identity of its process', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const session = await begin(board, {
      clientSessionId: 'abc',
      project: '/a',
      clientName: 'claude-code',
      clientVersion: '9.9',
    });
    expect(session.holder).toBe('claude:abc');
    expect(await board.db.get('select * from sessions')).toMatchObject({
      id: session.id,
      holder: 'claude:abc',
      project: '/a',
      client_name: 'claude-code',
      client_version: '9.9',
      pid: 1,
      ended_at: null,
    });
    expect(await board.history('session', session.id)).toEqual(['started']);
  });

  test('of a client without an id of its own has one to itself', () => {
    const [one, two] = [nameSession({ project: '' }), nameSession({ project: '' })];
    expect(one.holder).toBe(`session:${one.id}`);
    expect(one.holder).not.toBe(two.holder);
  });

  test('keeps its claims and slots as long as it sends heartbeats', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const session = await begin(board);
    const { id } = await board.add('Task');
    await board.take(session);
    await board.slots.claim('w', { ...session, sessionId: session.id });
    for (let beats = 0; beats < 60; beats++) {
      board.clock.pass(10_000);
      await board.sessions.heartbeat(session);
    }
    expect(await board.tasks.lapse()).toEqual([]);
    expect(await board.slots.lapse()).toEqual([]);
    expect((await board.slots.list())[0]).toMatchObject({ workerId: 'w', heartbeatAt: board.clock.now() });
    board.clock.pass(60_000);
    expect(await board.tasks.lapse()).toEqual([id]);
    expect(await board.slots.lapse()).toEqual([1]);
  });

  test('does not shorten a longer lease by its heartbeat', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const session = await begin(board);
    await board.add('Task');
    const { leaseExpiresAt } = await board.take(session, 3_600);
    board.clock.pass(10_000);
    await board.sessions.heartbeat(session);
    expect((await board.tasks.list({ limit: 1 }))[0]?.leaseExpiresAt).toBe(leaseExpiresAt);
  });

  test('that is resumed under the same client session id finds its claims again and can end them', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const info = { clientSessionId: 'abc' };
    const before = await begin(board, info);
    const { id } = await board.add('Task');
    await board.take(before);
    board.clock.pass(50_000);
    const resumed = await begin(board, info);
    board.clock.pass(50_000);
    expect(await board.tasks.lapse()).toEqual([]);
    expect((await board.end(id, 'completed', resumed)).status).toBe('completed');
  });
});

describe('a session without a row', () => {
  test('that begins twice is one session, begun once', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const session = await begin(board);
    await board.sessions.begin(session, { project: '' });
    expect(await board.history('session', session.id)).toEqual(['started']);
  });

  test('gets it with its next heartbeat, and keeps what it holds', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const info = { project: '/a', clientName: 'claude-code', clientVersion: '9.9' };
    const session = await begin(board, info);
    const { id } = await board.add('Task');
    await board.take(session);
    // What a restore of an older backup does under a live session.
    await board.db.run('delete from sessions');
    board.clock.pass(50_000);
    await board.sessions.heartbeat(session, info);
    board.clock.pass(50_000);
    expect(await board.tasks.lapse()).toEqual([]);
    expect(await board.row(id)).toMatchObject({ status: 'in_progress', claimed_by: session.holder });
    const [row] = await board.db.all('select * from sessions');
    expect(row).toMatchObject({ id: session.id, project: '/a', client_name: 'claude-code', ended_at: null });
  });

  test('can claim a worker slot, which writes it; its heartbeat adds the name of its client', async () => {
    const board = await openBoard({ processes: staged('alive') });
    const info = { project: '', clientName: 'claude-code', clientVersion: '9.9' };
    const session = nameSession(info);
    expect(await board.slots.claim('w', { ...session, sessionId: session.id })).toMatchObject({ slot: 1 });
    await board.sessions.heartbeat(session, info);
    expect(await board.db.get('select * from sessions')).toMatchObject({ id: session.id, client_name: 'claude-code' });
    expect(await board.history('session', session.id)).toEqual(['started']);
  });
});

describe('a session that is gone', () => {
  test('frees its slots at once, while its task is claimed for another minute', async () => {
    const processes = staged('alive');
    const board = await openBoard({ processes });
    const session = await begin(board);
    const { id } = await board.add('Task');
    const { slot } = await board.slots.claim('w', { ...session, sessionId: session.id });
    await board.workers.claim({ task: id, workerId: 'w', slot }, session);
    expect(await board.sessions.sweep()).toEqual([]);
    processes.say('dead');
    expect(await board.sessions.sweep()).toEqual([session.id]);
    expect((await board.slots.list())[0]).toMatchObject({ workerId: null });
    expect(await board.row(id)).toMatchObject({ status: 'in_progress', worker_slot: null, worker_id: 'w' });
    expect(await board.tasks.lapse()).toEqual([]);
    board.clock.pass(60_000);
    expect(await board.tasks.lapse()).toEqual([id]);
  });

  test('is found by one of several that look at the same time', async () => {
    const processes = staged('alive');
    const board = await openBoard({ processes });
    const session = await begin(board);
    processes.say('dead');
    const found = await Promise.all([board.sessions.sweep(), board.sessions.sweep(), board.sessions.sweep()]);
    expect(found.flat()).toEqual([session.id]);
    expect(await board.history('session', session.id)).toEqual(['started', 'lost']);
  });

  test('is known to be gone when its process was killed with SIGKILL', async () => {
    const runtime = await testRuntime();
    const [task] = await runtime.tasks.create([{ title: 'Task' }], bob);
    const { process: server, ended } = startChild(await buildChild(child), [runtime.db.location, 'abc', 'w']);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    expect((await runtime.slots.list())[0]).toMatchObject({ workerId: 'w', holder: 'claude:abc' });
    expect(await runtime.sessions.sweep()).toEqual([]);
    await expect(runtime.workers.reset(task?.id ?? 0, bob)).rejects.toMatchObject({ code: 'already_claimed' });

    server.kill('SIGKILL');
    await ended;
    expect(await runtime.sessions.sweep()).toHaveLength(1);
    expect((await runtime.slots.list())[0]).toMatchObject({ workerId: null, holder: null });
    expect((await runtime.workers.reset(task?.id ?? 0, bob)).status).toBe('pending');
  });

  test('ends cleanly by freeing its slots, without waiting for anyone', async () => {
    const runtime = await testRuntime();
    const { process: server, ended } = startChild(await buildChild(child), [runtime.db.location, 'abc', 'w']);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    server.stdin?.end();
    expect((await ended).code).toBe(0);
    expect((await runtime.slots.list())[0]).toMatchObject({ workerId: null });
    expect(await runtime.db.get('select ended_at from sessions')).toEqual({ ended_at: expect.any(Number) });
  });
});

describe('a session in another container, whose process cannot be seen', () => {
  test('is gone after six missed heartbeats', async () => {
    const board = await openBoard({ processes: staged('unknown') });
    const session = await begin(board);
    board.clock.pass(60_000);
    expect(await board.sessions.sweep()).toEqual([]);
    board.clock.pass(1);
    expect(await board.sessions.sweep()).toEqual([session.id]);
  });

  for (const step of [2 * hours, -2 * hours]) {
    test(`is not taken for gone, or alive, because the wall clock was stepped by ${step / hours} h`, async () => {
      const board = await openBoard({ processes: staged('unknown') });
      const session = await begin(board);
      board.clock.stepWallClock(step);
      expect(await board.sessions.sweep()).toEqual([]);
      board.clock.pass(60_001);
      expect(await board.sessions.sweep()).toEqual([session.id]);
    });
  }

  test('lives again with its next heartbeat if it was only slow', async () => {
    const board = await openBoard({ processes: staged('unknown') });
    const session = await begin(board);
    const { id } = await board.add('Task');
    await board.take(session);
    board.clock.pass(60_001);
    await board.sessions.sweep();
    await board.sessions.heartbeat(session);
    expect(await board.db.get('select ended_at from sessions')).toEqual({ ended_at: null });
    await expect(board.workers.reset(id, bob)).rejects.toMatchObject({ code: 'already_claimed' });
  });
});

test('a reused pid is not the process that was', async () => {
  const runtime = await testRuntime();
  const processes = systemProcesses(runtime.clock.bootId);
  expect(processes.liveness({ ...processes.self(), startTime: '1' })).toBe('dead');
  expect(processes.liveness({ ...processes.self(), pidNamespace: 'pid:[1]' })).toBe('unknown');
});
