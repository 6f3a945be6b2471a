import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { nameSession } from '../src/core/coordination/sessions.js';
import { contextOf, runTool } from '../src/tools/call/run-tool.js';
import { findTool } from '../src/tools/index.js';
import { pidOf, testQueue } from './core/jobs/queue.js';
import { openBoard } from './core/tasks/board.js';
import { eventually } from './support/eventually.js';
import { refuseWrites } from './support/refuse-writes.js';

it('a session that could not begin begins with the next heartbeat, which runs all the same', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const board = await openBoard();
  const session = nameSession({ project: '' });
  const allow = await refuseWrites(board.db, { table: 'sessions', event: 'insert' });
  await expect(board.maintenance.beginSession(session, { project: '' })).rejects.toThrow('disk full');
  await allow();
  await board.add('Task');
  await board.take(session);
  vi.advanceTimersByTime(10_000);
  // Writes take turns, so this one comes after the heartbeat.
  await board.db.run("update tasks set title = 'T'");
  expect(await board.db.all('select id, ended_at from sessions')).toEqual([{ id: session.id, ended_at: null }]);
});

it('a session whose heartbeat fails does not keep another from being renewed', async () => {
  const board = await openBoard();
  const [ill, well] = [nameSession({ project: '' }), nameSession({ project: '' })];
  for (const session of [ill, well]) await board.maintenance.beginSession(session, { project: '' });
  const start = board.clock.now();
  const allow = await refuseWrites(board.db, { table: 'sessions', when: `new.id = '${ill.id}'` });
  board.clock.pass(10_000);
  await board.maintenance.heartbeat().catch(() => {});
  await allow();
  const rows = await board.db.all<{ id: string; at: number }>('select id, heartbeat_at as at from sessions');
  expect(rows.find(({ id }) => id === ill.id)?.at).toBe(start);
  expect(rows.find(({ id }) => id === well.id)?.at).toBe(start + 10_000);
});

it('the job of a runner that was killed is in the queue again within 3 s, though nobody reads it', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  queue.runtime.maintenance.start();
  queue.liveness.set(await pidOf(queue, job.runner_id ?? ''), 'dead');
  vi.advanceTimersByTime(3_000);
  const row = await eventually('it is', async () => {
    const row = await queue.row(job.id);
    return row.status === 'pending' && row;
  });
  expect(row).toMatchObject({ error_code: 'runner_lost', crashes: 1, tries: 1 });
});

describe('what ended long ago', () => {
  const dayMs = 86_400_000;

  /** A board with a task that ended on the first day, one that ended on the ninth, and one that is open. */
  async function boardAfterTenDays(env: Record<string, string>) {
    const board = await openBoard({ env });
    const [old, young, open] = [await board.add('old'), await board.add('young'), await board.add('open')];
    await board.end(old.id, 'completed');
    board.clock.pass(9 * dayMs);
    await board.end(young.id, 'completed');
    board.clock.pass(dayMs);
    const left = async () =>
      (await board.db.all<{ id: number }>('select id from tasks order by id')).map(({ id }) => id);
    return { board, old: old.id, young: young.id, open: open.id, left };
  }

  it('is deleted after the days that are set, once a day, with an event that says so', async () => {
    const { board, young, open, left } = await boardAfterTenDays({ AGENT_RUNTIME_RETENTION_DAYS: '5' });
    await board.maintenance.runOnce();
    expect(await left()).toEqual([young, open]);
    expect(await board.history('runtime', 'board')).toEqual(['purged']);
    board.clock.pass(dayMs / 2);
    await board.maintenance.runOnce();
    expect(await board.history('runtime', 'board')).toEqual(['purged']);
    board.clock.pass(5 * dayMs);
    await board.maintenance.runOnce();
    expect(await left()).toEqual([open]);
  });

  it('stays while nothing is set, and for one who may only read', async () => {
    const unset = await boardAfterTenDays({});
    await unset.board.maintenance.runOnce();
    expect(await unset.left()).toEqual([unset.old, unset.young, unset.open]);
    const reading = await boardAfterTenDays({ AGENT_RUNTIME_RETENTION_DAYS: '5', AGENT_RUNTIME_READ_ONLY: '1' });
    await reading.board.maintenance.runOnce();
    expect(await reading.left()).toEqual([reading.old, reading.young, reading.open]);
  });

  it('is said to be deleted by runtime_status', async () => {
    const { board } = await boardAfterTenDays({ AGENT_RUNTIME_RETENTION_DAYS: '5' });
    const status = await runTool(findTool('runtime_status'), {}, contextOf(board, { holder: null, project: '' }));
    expect(status).toMatchObject({ database: { retention_days: 5 } });
  });
});
