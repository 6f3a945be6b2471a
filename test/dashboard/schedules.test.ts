import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, savedJson } from './open-page.js';

const request = { type: 'generic', payload: {} };
/** So late that no runner stays for it. */
const run_at = '2999-01-01T00:00:00Z';

describeInBrowser('the schedules', () => {
  it('are made, paused, resumed, run, changed and deleted, and say what fires them and what went wrong', async () => {
    const { page, runtime, call, problems } = await openJobs('/schedules');
    await page.getByText('Nothing is scheduled.').waitFor();
    await expectGoodLooks(page, 'schedules-empty');

    await call('schedule', { name: 'broken', kind: 'job', request, run_at });
    await runtime.db.run(
      "update schedules set last_outcome = 'failed', last_at = 1, last_due_at = 1, last_error = 'No task template is called review.'",
    );
    await page.getByRole('button', { name: 'New schedule' }).click();
    await page.getByLabel('It submits').selectOption('job');
    await page.getByLabel('Name').fill('far');
    await page.getByLabel('Type').fill('generic');
    await page.getByLabel('Payload').fill('{}');
    await page.getByText('More options').click();
    await page.getByLabel(/run at/i).fill('2999-01-01T00:00');
    await expectGoodLooks(page, 'schedules-form');
    await page.getByRole('button', { name: 'Make' }).click();
    const card = page.locator('.schedule').filter({ hasText: 'far' });
    await card.getByText('active').waitFor();
    await card.getByText(/Next in 35\d{4} d/).waitFor();
    await page.locator('.schedule.failed').getByText('No task template is called review.').waitFor();
    await page.getByText(/^Fired by /).waitFor();
    await page.getByRole('link', { name: /^Schedules\s+1 need you$/ }).waitFor();
    await expectGoodLooks(page, 'schedules');

    await card.getByRole('button', { name: 'Pause far' }).click();
    await card.getByText('paused').waitFor();
    await card.getByRole('button', { name: 'Resume far' }).click();
    await card.getByText('active').waitFor();
    await card.getByRole('button', { name: 'Run now: far' }).click();
    await page.getByRole('link', { name: 'Its job' }).waitFor();
    await card.getByText('Fired once.').waitFor();
    await card.getByRole('button', { name: 'Edit far' }).click();
    await page.getByLabel('Type').fill('nothing');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('dialog').getByText('No agent runs jobs of type nothing').waitFor();
    await page.getByLabel('Type').fill('generic');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('far is changed.').waitFor();
    expect(await savedJson(page)).toContain('"fired_by"');

    await card.getByRole('button', { name: 'Delete' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('far is deleted.').waitFor();
    expect(await runtime.schedules.list({ limit: 5 })).toHaveLength(1);
    // The one that was refused.
    expect(problems).toEqual([expect.stringContaining('404')]);
  });
});
