import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';
import { openSample } from './open-sample.js';

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
    await tasks.getByText('Completed, 12 an hour').waitFor();
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

  it('draw what ended, how long it took, the queue and tokens, and follow', async () => {
    const { page, open, ask, call, ended, models, problems } = await openJobs('/trends');
    for (let count = 0; count < 3; count++) await ended(await ask('Say hello'));
    models.script.push({ status: 400, message: 'no' });
    await ended(await ask('Fail'));
    await call('submit_job', { type: 'generic', payload: {}, run_at: new Date(Date.now() + 3_600_000).toISOString() });
    for (const title of ['Jobs that ended in 5 minutes', 'How long jobs took', 'Queue', 'Tokens in 5 minutes']) {
      await page.getByRole('img', { name: new RegExp(`^${title}\\.`) }).waitFor();
    }
    await page.getByRole('img', { name: /Queue\. Waiting: from 0 to 1, lowest 0, highest 1\./ }).waitFor();
    const row = page.locator('table.by-type tbody tr').filter({ hasText: 'llm' });
    await row.getByText('(25 %)').waitFor();
    // A rate of so little is told by the hour.
    await page.getByText('Submitted, 5 an hour').waitFor();
    await page.getByText('llm: invalid_request × 1').waitFor();
    await expectGoodLooks(page, 'metrics');

    await page.getByRole('button', { name: '15 min' }).click();
    await expect.poll(() => page.url()).toContain('window=15');
    await page.getByRole('img', { name: /^Tokens a minute\./ }).waitFor();
    await open('/trends?window=10080');
    await page.getByRole('img', { name: /^Jobs that ended a day\./ }).waitFor();
    expect(await savedJson(page)).toContain('"window_minutes": 10080');

    await page.getByRole('link', { name: 'llm: invalid_request × 1' }).click();
    await page.getByRole('button', { name: 'Failed by invalid_request ✕' }).waitFor();
    await expect.poll(() => page.locator('table.jobs tbody tr').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  it('say the values at the pointer and at the arrow keys, lead to the jobs there, and show a part of the time', async () => {
    const { page, open, problems } = await openSample('/trends?window=1440');
    const jobs = page.getByRole('img', { name: /^Jobs that ended an hour\./ });
    await jobs.focus();
    await page.keyboard.press('End');
    const chart = page.locator('.chart').filter({ has: jobs });
    const readout = chart.locator('.chart-readout');
    await readout.getByText(/\d\d:\d\d to .*\d\d:00: Completed \d+, Failed \d, Cancelled 0/).waitFor();
    for (let hour = 0; hour < 24 && !/Failed [1-9]/.test((await readout.textContent()) ?? ''); hour++) {
      await page.keyboard.press('ArrowLeft');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Ended since .* before .* ✕$/ }).waitFor();
    await page.locator('table.jobs tbody tr').filter({ hasText: 'Failed' }).first().waitFor();
    expect(await page.locator('table.jobs tbody tr').count()).toBeLessThan(6);

    await open('/trends?window=1440');
    // What has no known price is not shown as free.
    const cost = page.getByRole('region', { name: 'Cost' });
    await cost.getByRole('row', { name: /^claude-opus-5 \d+ \$0\.\d\d$/ }).waitFor();
    await cost.getByRole('row', { name: /^claude-sonnet-5-5 \d+ cost unknown$/ }).waitFor();
    await cost.getByRole('img', { name: /^Cost an hour\./ }).waitFor();
    await page.getByText(/^Submitted, /).waitFor();
    await jobs.hover({ position: { x: 200, y: 60 } });
    const box = await jobs.boundingBox();
    if (!box) throw new Error('The chart has no size.');
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await chart.getByText(/Completed \d+, Failed \d/).waitFor();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
    await page.mouse.move(box.x + box.width * 0.55, box.y + 60);
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await page.getByRole('img', { name: /^Jobs that ended in 15 minutes\./ }).waitFor();
    await page.locator('.own-range summary').click();
    await page.getByLabel('From', { exact: true }).fill('2020-01-01T00:00');
    await page.getByLabel('To', { exact: true }).fill('2020-01-02T00:00');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('Nothing has happened in this time.').waitFor();
    expect(problems).toEqual([]);
  });
});
