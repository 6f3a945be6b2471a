import { expect, test } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { nameProcess, readSessions } from '../../../src/core/overview/sessions.js';
import { openBoard, shell } from '../tasks/board.js';

test('sessions are shown with what their conversation holds, and callers without one beside them', async () => {
  const board = await openBoard();
  const info = { project: '/shop', clientSessionId: 'abc', clientName: 'claude-code', clientVersion: '3.1' };
  const before = nameSession(info);
  await board.sessions.begin(before, info);
  const task = await board.add('Bake');
  const { slot } = await board.slots.claim('w', { ...before, sessionId: before.id });
  await board.workers.claim({ task: task.id, workerId: 'w', slot }, before);
  const byHand = await board.add('By hand');
  await board.tasks.updateStatus({ task: byHand.id, status: 'in_progress', claim: { workerId: 'ada' } }, shell);

  const { sessions, others } = await readSessions(board.db);
  expect(sessions).toMatchObject([
    {
      id: before.id,
      client: 'claude-code',
      clientVersion: '3.1',
      project: '/shop',
      heartbeatAt: board.clock.now(),
      endedAt: null,
      holdings: { slots: [slot], tasks: [{ id: task.id, title: 'Bake', worker: 'w' }] },
    },
  ]);
  expect(others).toMatchObject([{ holder: 'loose:ada', holdings: { tasks: [{ id: byHand.id }] } }]);

  // Resumed as another process, the conversation holds its task there, and no longer where it has ended.
  board.clock.pass(1_000);
  await board.sessions.end(before);
  expect(await board.history('session', before.id)).toEqual(['started', 'ended']);
  const after = nameSession(info);
  await board.sessions.begin(after, info);
  const resumed = (await readSessions(board.db)).sessions;
  expect(resumed).toMatchObject([
    { id: after.id, endedAt: null, holdings: { tasks: [{ id: task.id }] } },
    { id: before.id, holdings: { tasks: [], slots: [] } },
  ]);
});

test('a process is named by its open session, and by nothing once that has ended', async () => {
  const board = await openBoard();
  const info = { project: '/a', clientName: 'claude-code' };
  const session = nameSession(info);
  await board.sessions.begin(session, info);
  expect(await nameProcess(board.db, process.pid)).toBe('a session of claude-code in /a');
  await board.sessions.end(session);
  expect(await nameProcess(board.db, process.pid)).toBeUndefined();
});
