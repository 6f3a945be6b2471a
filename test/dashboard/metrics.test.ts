import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';

describeInBrowser('the metrics', () => {
  it('tell of tasks too: how many ended, how long they took and had waited, by worker and by goal', async () => {
    const { page, open, runtime, problems } = await openPage('/trends');
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by asserting it.
    const call = (tool: string, args: object): Promise<any> =>
      runTool(findTool(tool), args, contextOf(runtime, { holder: 'session:x', project: '' }));
    await page.getByText('Nothing to measure yet').waitFor();
    expect(await page.getByRole('region', { name: 'Tasks' }).count()).toBe(0);
    await call('create_goal', { name: 'Ship it', description: '' });
    for (const title of ['One', 'Two', 'Three']) {
      await call('create_task', { title, goal_id: 1 });
      const { id, claim_token } = await call('claim_next_task', { worker_id: title === 'One' ? 'ada' : 'bob' });
      await call('update_task_status', { task_id: id, status: 'completed', result: 'done', claim_token });
    }
    await open('/trends?window=15');
    const tasks = page.getByRole('region', { name: 'Tasks' });
    await tasks.getByText('Completed an hour').waitFor();
    await tasks.getByRole('row', { name: /^bob 2 / }).waitFor();
    await tasks.getByRole('row', { name: /^ada 1 / }).waitFor();
    await tasks.getByRole('row', { name: /^Ship it 3 / }).waitFor();
    await expectGoodLooks(page, 'metrics-tasks');
    await tasks.getByRole('link', { name: 'Ship it' }).click();
    await page.getByRole('heading', { name: 'Ship it' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('begin with the command that gives something to measure', async () => {
    const { page, problems } = await openPage('/trends');
    await page.getByText('Nothing to measure yet').waitFor();
    await expectGoodLooks(page, 'metrics-empty');
    expect(problems).toEqual([]);
  });

  it('draw throughput, errors, the queue and tokens, and follow', async () => {
    const { page, open, ask, call, ended, models, problems } = await openJobs('/trends');
    for (let count = 0; count < 3; count++) await ended(await ask('Say hello'));
    models.script.push({ status: 400, message: 'no' });
    await ended(await ask('Fail'));
    await call('submit_job', { type: 'generic', payload: {}, run_at: new Date(Date.now() + 3_600_000).toISOString() });
    for (const title of ['Jobs a minute', 'Error rate', 'Queue', 'Tokens']) {
      await page.getByRole('img', { name: new RegExp(`^${title}\\.`) }).waitFor();
    }
    await page
      .getByRole('img', { name: 'Error rate. Failed: from 25 % to 25 %, lowest 25 %, highest 25 %.' })
      .waitFor();
    await page.getByRole('img', { name: /Queue\. Waiting: from 0 to 1, lowest 0, highest 1\./ }).waitFor();
    const row = page.locator('table.by-type tbody tr').filter({ hasText: 'llm' });
    await row.getByText('1 (25 %)').waitFor();
    await page.getByText('llm: invalid_request × 1').waitFor();
    await expectGoodLooks(page, 'metrics');

    await page.getByRole('button', { name: '15 min' }).click();
    await expect.poll(() => page.url()).toContain('window=15');
    await page.getByRole('img', { name: /^Tokens\./ }).waitFor();
    await open('/trends?window=10080');
    await page.getByRole('img', { name: /^Jobs a minute\./ }).waitFor();
    expect(await savedJson(page)).toContain('"window_minutes": 10080');
    expect(problems).toEqual([]);
  });
});
