import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import { jobStoreOf } from '../support/job-store.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';

const nobody = { holder: null, project: '' };
const hostile = `\u202E\u05D0\u05D1\u05D2 ${'unbroken'.repeat(60)} <img src=x onerror="document.title=1">`;

/** The page over jobs that nothing works on, as they are due in an hour. */
async function openList(options: Parameters<typeof openPage>[1] = {}) {
  const opened = await openPage('/', options);
  const { runtime } = opened;
  const store = jobStoreOf(runtime);
  return {
    ...opened,
    give: async (payload: JsonObject, type = 'generic') =>
      (await store.submit({ type, payload, runAt: Date.now() + 3_600_000 }, nobody)).job.id,
    fail: (id: string, error: string) =>
      runtime.db.run(
        "update jobs set status = 'failed', error_code = 'failed', error_message = ?, completed_at = 2 where id = ?",
        error,
        id,
      ),
    names: () => opened.page.locator('table.jobs tbody .title').allTextContents(),
  };
}

describeInBrowser('the list of jobs', () => {
  it('begins with what failed, is sorted by its columns, searched and paged, all in its address', async () => {
    const { page, open, give, fail, names, problems } = await openList();
    await fail(await give({ note: hostile }), `It broke: ${hostile}`);
    for (let count = 0; count < 60; count++) await give({ count });
    await open('/jobs?size=25');
    await page.getByText('Page 1 of 3, 61 in all').waitFor();
    expect((await names())[0]).toContain('unbroken');
    await expectGoodLooks(page, 'jobs-list');
    await page.getByRole('link', { name: 'Last' }).click();
    await page.getByText('Page 3 of 3').waitFor();
    await page.getByRole('button', { name: 'Submitted' }).click();
    await page.getByText('Page 1 of 3').waitFor();
    await expect.poll(names).toContain('count=59');
    expect((await names())[0]).toBe('count=59');
    await page.getByRole('button', { name: 'Submitted' }).click();
    await expect.poll(async () => (await names())[1]).toBe('count=0');
    expect(new URL(page.url()).search).toContain('ascending');
    await page.getByLabel('text').fill('IT BROKE');
    await expect.poll(names).toHaveLength(1);
    await page.getByLabel('text').fill('nothing has this');
    await page.getByText('No job matches.').waitFor();
    await page.getByLabel('text').fill('');
    await page.getByLabel('submitted to').fill('2020-01-01');
    await page.getByText('No job matches.').waitFor();
    expect(problems).toEqual([]);
  });

  it('retries all that failed and cancels all that are open, of the filter alone', async () => {
    const { page, open, give, fail, runtime, problems } = await openList();
    const ids = [await give({ a: 1 }), await give({ a: 2 })];
    for (const id of ids) await fail(id, hostile);
    const other = await give({ a: 3 }, 'backtest');
    await open('/jobs?type=generic');
    await page.getByRole('button', { name: 'Retry all failed' }).click();
    await page.getByText('Retry 2 jobs?').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry all failed' }).click();
    await page.getByText('2 jobs are back in the queue.').waitFor();
    await page.getByRole('button', { name: 'Cancel all open' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel all open' }).click();
    await page.getByText('2 jobs are cancelled.').waitFor();
    expect((await runtime.jobs.get(other)).status).toBe('pending');
    expect(problems).toEqual([]);
  });

  it('shows a relay as one row that leads to all of its jobs, and offers nothing to who may only look', async () => {
    const { page, open, runtime, problems } = await openList({ isReadOnly: true });
    const { pipeline } = await runtime.relays.create(
      { name: 'Bread', goal: 'Compare', agentTypes: ['researcher'], tokenBudget: 9_000 },
      nobody,
    );
    const store = jobStoreOf(runtime);
    const step = async (baton: string) => {
      const { job } = await store.submit(
        { type: 'relay_step', payload: { pipeline_id: pipeline.id, baton_id: baton }, runAt: Date.now() + 3_600_000 },
        nobody,
      );
      return job.id;
    };
    const [first, second] = [await step('x1'), await step('x2')];
    await runtime.db.run('update relay_batons set job_id = ? where pipeline_id = ?', first, pipeline.id);
    await runtime.db.run(
      `insert into relay_batons (id, pipeline_id, step_index, status, job_id, baton, created_at)
       select 'later', pipeline_id, 0, 'set_aside', ?, baton, created_at from relay_batons where pipeline_id = ?`,
      second,
      pipeline.id,
    );
    await open('/jobs');
    const rows = page.locator('table.jobs tbody tr');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(1);
    const tab = (name: RegExp) => page.getByRole('group', { name: 'Status' }).getByRole('button', { name });
    await tab(/^All 1$/).waitFor();
    await tab(/^Waiting 1$/).waitFor();
    await page.getByRole('link', { name: 'all 2 jobs of the relay' }).click();
    await expect.poll(() => rows.count()).toBe(2);
    await tab(/^All 2$/).waitFor();
    await page.getByRole('button', { name: 'Jobs of one relay' }).click();
    await expect.poll(() => rows.count()).toBe(1);
    expect(
      await page
        .getByRole('button', { name: /all/ })
        .filter({ hasText: /Retry|Cancel/ })
        .count(),
    ).toBe(0);
    expect(problems).toEqual([]);
  });
});
