import { expect, it } from 'vitest';
import { jobStatuses } from '../../../src/core/jobs/job.js';
import { unseenAmong } from '../../../src/core/jobs/read-jobs.js';
import { type JobListFilter, readJobList } from '../../../src/core/overview/job-list.js';
import { isOnPostgres } from '../../support/postgres.js';
import { readsOf } from '../../support/reads-of.js';
import { completed, failing, testQueue } from '../jobs/queue.js';

const firstPage = { order: 'interest', isAscending: false, limit: 3, offset: 0, now: 0 } as const;

it('the usual order has running jobs first, then failed ones, then the rest, newest first, on each page', async () => {
  const queue = await testQueue();
  const ids: Record<string, string[]> = { running: [], failed: [], rest: [] };
  for (let round = 0; round < 3; round++) {
    const [done, failed] = [await queue.running(), await queue.running()];
    await queue.finish(done, completed);
    await queue.finish(failed, failing(false));
    ids.rest?.unshift(done.id);
    ids.failed?.unshift(failed.id);
  }
  for (let round = 0; round < 2; round++) ids.running?.unshift((await queue.running()).id);
  const page = async (offset: number, filter: JobListFilter = {}) =>
    (await readJobList(queue.runtime.db, filter, { ...firstPage, offset })).jobs.map(({ id }) => id);
  const all = [...(ids.running ?? []), ...(ids.failed ?? []), ...(ids.rest ?? [])];
  expect([...(await page(0)), ...(await page(3)), ...(await page(6))]).toEqual(all);
  expect(await page(1, { status: 'failed' })).toEqual(ids.failed?.slice(1));
  expect(await page(0, { type: 'backtest' })).toEqual([]);
});

it.skipIf(isOnPostgres)('the usual order reads no more jobs of a status than are on a page', async () => {
  const { runtime } = await testQueue();
  const reads = (filter: JobListFilter) =>
    readsOf(runtime.db, /^jobs$/, () => readJobList(runtime.db, filter, firstPage));
  const found = 'SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)';
  // One sorts the few that were picked, the other those of the page.
  const sorted = ['USE TEMP B-TREE FOR ORDER BY', 'USE TEMP B-TREE FOR ORDER BY'];
  const each = (step: string) => [[found, ...jobStatuses.map(() => step), ...sorted]];
  expect(await reads({})).toEqual(each('SEARCH jobs USING INDEX jobs_by_status (status=?)'));
  expect(await reads({ type: 'llm' })).toEqual(each('SEARCH jobs USING INDEX jobs_by_type (type=? AND status=?)'));
});

it.skipIf(isOnPostgres)(
  'which jobs of a page are unread is read of those jobs, not of all that are unread',
  async () => {
    const { runtime } = await testQueue();
    const reads = await readsOf(runtime.db, /^jobs$/, () => unseenAmong(runtime.db, ['a', 'b', 'c']));
    expect(reads).toEqual([['SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)']]);
  },
);
