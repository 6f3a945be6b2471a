import { describe, expect, test } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { readOverview } from '../../../src/core/overview/overview.js';
import { isOnPostgres } from '../../support/postgres.js';
import { readsOf } from '../../support/reads-of.js';
import { alice, bob, openBoard, shell } from '../tasks/board.js';

describe('the overview', () => {
  test('of an empty runtime counts nothing', async () => {
    const board = await openBoard();
    expect(await readOverview(board, alice)).toMatchObject({
      ready: 0,
      waiting: 0,
      inProgress: 0,
      failed: 0,
      overdue: 0,
      liveSessions: 0,
      heldSlots: 0,
      goals: [],
      claims: [],
      ownClaims: [],
      ownSlots: [],
      waitingTasks: [],
    });
  });

  test('tells a caller that has lost its context what it holds, apart from what others hold', async () => {
    const board = await openBoard();
    const session = nameSession({ project: '', clientSessionId: 'abc' });
    await board.sessions.begin(session, { project: '', clientSessionId: 'abc' });
    const [own, other] = [await board.add('Own', { key: 'own' }), await board.add('Of bob')];
    const { slot } = await board.slots.claim('w', { ...session, sessionId: session.id });
    await board.workers.claim({ task: own.id, workerId: 'w', slot }, session);
    await board.claim(other.id, bob);
    expect(await readOverview(board, session)).toMatchObject({
      inProgress: 2,
      liveSessions: 1,
      heldSlots: 1,
      ownClaims: [
        {
          id: own.id,
          key: 'own',
          title: 'Own',
          claimToken: 1,
          workerId: 'w',
          leaseExpiresAt: board.clock.now() + 60_000,
        },
      ],
      claims: [{ id: other.id, claimedBy: 'session:bob' }],
      ownSlots: [{ slot: 1, workerId: 'w', taskId: own.id }],
    });
    expect(await readOverview(board, shell)).toMatchObject({ ownClaims: [], ownSlots: [], claims: [{}, {}] });
  });

  test('says why each waiting task waits', async () => {
    const board = await openBoard();
    const [open, failed] = [await board.add('Open'), await board.add('Failed')];
    await board.end(failed.id, 'failed');
    const waits = await board.add('Waits', { dependencies: [open.id], priority: 9 });
    const blocked = await board.add('Blocked', { dependencies: [failed.id], priority: 8 });
    const later = await board.add('Later', { notBefore: board.clock.now() + 60_000, priority: 7 });
    expect((await readOverview(board, alice)).waitingTasks).toEqual([
      { id: waits.id, title: 'Waits', because: `It waits for task ${open.id} (pending).` },
      { id: blocked.id, title: 'Blocked', because: `It waits for task ${failed.id} (failed).` },
      { id: later.id, title: 'Later', because: 'It must not start before 2026-11-20T12:01:00.000Z.' },
    ]);
  });

  test('counts a task as ready from the moment it may start, and as overdue from its deadline', async () => {
    const board = await openBoard();
    const soon = board.clock.now() + 1_000;
    await board.add('Task', { notBefore: soon, deadlineAt: soon });
    expect(await readOverview(board, alice)).toMatchObject({ ready: 0, waiting: 1, overdue: 0 });
    board.clock.pass(1_000);
    expect(await readOverview(board, alice)).toMatchObject({ ready: 1, waiting: 0, overdue: 1, waitingTasks: [] });
  });

  test('keeps to the project of the caller and to what belongs to none', async () => {
    const board = await openBoard();
    const [inA, inB] = [
      { ...alice, project: '/a' },
      { ...bob, project: '/b' },
    ];
    await board.add('a', {}, inA);
    await board.add('b', {}, inB);
    await board.add('common');
    await board.goals.create({ name: 'Of a', description: '' }, inA);
    await board.goals.create({ name: 'Of b', description: '' }, inB);
    expect(await readOverview(board, inA)).toMatchObject({
      ready: 2,
      goals: [{ name: 'Of a', total: 0, completed: 0 }],
    });
    expect(await readOverview(board, alice)).toMatchObject({ ready: 3, goals: [{ name: 'Of b' }, { name: 'Of a' }] });
  });

  test.skipIf(isOnPostgres)('reads no more of open and unread jobs than it shows, however many there are', async () => {
    const board = await openBoard();
    for (const caller of [alice, { ...alice, project: '/a' }]) {
      expect(await readsOf(board.db, /^jobs$/, () => readOverview(board, caller))).toEqual([
        // Those that run are few.
        ['SEARCH jobs USING INDEX jobs_by_status (status=?)'],
        ['SEARCH jobs USING INDEX jobs_open_of_submitter (submitted_by=?)'],
        [
          'SEARCH jobs USING INDEX jobs_unread (status=? AND read_at=?)',
          'SEARCH jobs USING INDEX jobs_unread (status=? AND read_at=?)',
          // The few of both statuses.
          'USE TEMP B-TREE FOR ORDER BY',
        ],
      ]);
    }
  });
});
