import { expect, it, onTestFinished, vi } from 'vitest';
import { nameSession } from '../src/core/coordination/sessions.js';
import { openBoard } from './core/tasks/board.js';

const noSessions = `create trigger no_sessions before insert on sessions begin select raise(abort, 'not now'); end`;

it('a session that could not begin begins with the next heartbeat, which runs all the same', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const board = await openBoard();
  const session = nameSession({ project: '' });
  await board.db.run(noSessions);
  await expect(board.maintenance.beginSession(session, { project: '' })).rejects.toThrow('not now');
  await board.db.run('drop trigger no_sessions');
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
  await board.db.run(
    `create trigger no_beat before update on sessions when new.id = '${ill.id}' begin select raise(abort, 'no'); end`,
  );
  board.clock.pass(10_000);
  await board.maintenance.heartbeat().catch(() => {});
  await board.db.run('drop trigger no_beat');
  const rows = await board.db.all<{ id: string; at: number }>('select id, heartbeat_at as at from sessions');
  expect(rows.find(({ id }) => id === ill.id)?.at).toBe(start);
  expect(rows.find(({ id }) => id === well.id)?.at).toBe(start + 10_000);
});
