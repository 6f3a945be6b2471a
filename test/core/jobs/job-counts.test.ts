import { expect, it } from 'vitest';
import { readJobCounts, storedJobCounts } from '../../../src/core/jobs/job-counts.js';
import { checkCounts } from '../../../src/store/check-counts.js';
import { isOnPostgres } from '../../support/postgres.js';
import { completed, failing, session, testQueue } from './queue.js';

const none = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0, unread: 0 };

it('a job is counted under its status, by type and by project, and as unread until its result is read', async () => {
  const { jobs, runtime, submit, running, finish } = await testQueue();
  const counts = (scope = {}) => readJobCounts(runtime.db, scope);
  const first = await running();
  await finish(await running(), failing(false));
  const last = await submit({ dependsOn: [first.id] });
  await jobs.submit({ type: 'backtest', payload: {} }, { ...session, project: '/a' });
  expect(await counts()).toEqual({ ...none, pending: 2, running: 1, failed: 1, unread: 1 });
  expect(await counts({ type: 'generic' })).toEqual({ ...none, pending: 1, running: 1, failed: 1, unread: 1 });
  expect(await counts({ onlyProject: '/a' })).toEqual({ ...none, pending: 1 });
  expect(await counts({ project: '/b' })).toEqual({ ...none, pending: 1, running: 1, failed: 1, unread: 1 });
  expect(await jobs.count({ status: 'pending' })).toBe(2);
  expect(await jobs.count({ isUnread: true, type: 'generic' })).toBe(1);
  expect(await jobs.count({})).toBe(4);

  await finish(first, completed);
  expect(await counts()).toEqual({ ...none, pending: 2, completed: 1, failed: 1, unread: 2 });
  await jobs.markRead(first.id);
  await jobs.cancel(last.id, session);
  expect(await counts()).toEqual({ ...none, pending: 1, completed: 1, failed: 1, cancelled: 1, unread: 1 });
  await jobs.retry(last.id, {}, session);
  expect(await counts({ type: 'generic' })).toEqual({ ...none, pending: 1, completed: 1, failed: 1, unread: 1 });
});

it('a purge takes what it deletes off the counts', async () => {
  const { runtime, running, finish, clock } = await testQueue();
  await finish(await running(), failing(false));
  await finish(await running(), completed);
  await runtime.maintenance.purge(clock.now() + 1, session);
  expect(await readJobCounts(runtime.db, {})).toEqual(none);
});

it('counts that something else has made wrong are found by the daily check and counted anew', async ({ skip }) => {
  if (isOnPostgres) return skip('they are not stored there');
  const { runtime, submit, clock } = await testQueue();
  // No runner is started for what cannot run yet.
  await submit({ runAt: clock.now() + 30 * 86_400_000 });
  expect(await checkCounts(runtime.db, storedJobCounts)).toEqual([]);
  await runtime.db.run("update job_counts set count = 7 where state = 'pending'");
  clock.pass(86_400_001);
  await runtime.maintenance.runOnce();
  expect((await readJobCounts(runtime.db, {})).pending).toBe(1);
  await runtime.db.run("update job_counts set count = 7 where state = 'pending'");
  expect(await checkCounts(runtime.db, storedJobCounts)).toEqual([
    { state: 'pending', type: 'generic', project: '', stored: 7, counted: 1 },
  ]);
});
