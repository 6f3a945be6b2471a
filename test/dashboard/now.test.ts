import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const actor = { holder: null, project: '' };

describeInBrowser('what goes on now', () => {
  it('is the first view, and says who works on what, what needs a person and what has happened', async () => {
    const { page, runtime, problems } = await openPage('/');
    expect(await page.locator('nav[aria-label="Views"] [aria-current]').textContent()).toBe('Now');
    await page.getByText('Nothing is being worked on.').waitFor();
    await page.getByText('Nothing needs you.').waitFor();
    expect(await page.title()).toBe('Now · Agent Runtime');
    const { ids } = await sampleBoard(runtime);
    const running = page.locator('.running li').filter({ hasText: 'Write the gateway to the provider' });
    await running.getByText('ada').waitFor();
    await running.getByText(/^\d+(\.\d)? (ms|s)$/).waitFor();
    const failed = page.locator('.need').filter({ hasText: 'Have the terms checked' });
    await failed.getByText('The office in Bern does not answer before Monday.').waitFor();
    await page.locator('.need.of-overdue_task').getByText('Create invoices as PDF').waitFor();
    await page.getByRole('heading', { name: 'In the last hour' }).waitFor();
    await page.locator('.now-recent li').first().waitFor();

    // One failed, one overdue: in the navigation, in the title and as a mark on the icon.
    const link = (name: string) => page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name });
    await link('Board 2 need you').waitFor();
    await link('Now 2 need you').waitFor();
    expect(await page.title()).toBe('(2) Now · Agent Runtime');
    expect(await page.getAttribute('link[rel="icon"]', 'href')).toBe('/icon-mark.svg');
    await expectGoodLooks(page, 'now');

    await failed.getByRole('button', { name: 'Reopen' }).click();
    await failed.waitFor({ state: 'detached' });
    expect((await runtime.tasks.get(ids.legal ?? 0)).status).toBe('pending');
    await page.getByRole('button', { name: 'Dismiss Create invoices as PDF' }).click();
    await page.getByText('Nothing needs you.').waitFor();
    expect(await page.title()).toBe('Now · Agent Runtime');
    expect(await page.getAttribute('link[rel="icon"]', 'href')).toBe('/icon.svg');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.need.of-overdue_task').waitFor();
    expect(problems).toEqual([]);
  });

  it('shows a job with its model, the last line of its output and how long it takes', async () => {
    const { page, ask, ended, call, problems } = await openJobs('/now');
    const id = await ask('Count', { pieces: ['First line\n', 'Second', ' line'], ending: 'hang' });
    const row = page.locator('.running li').filter({ hasText: 'Count' });
    await row.getByText('Second line', { exact: true }).waitFor();
    await row.getByText(/^claude-/).waitFor();
    const elapsed = () => row.locator('.elapsed').textContent();
    const early = await elapsed();
    await expect.poll(elapsed).not.toBe(early);
    await call('cancel_job', { job_id: id });
    await ended(id);
    await page.getByText('Nothing is being worked on.').waitFor();
    expect(problems).toEqual([]);
  });

  it('shows a task as overdue when its deadline passes, with nothing else happening', async () => {
    const { page, runtime } = await openPage('/now');
    await page.getByText('Nothing needs you.').waitFor();
    const deadlineAt = Date.now() + 2_500;
    await runtime.tasks.create([{ title: 'Be quick', deadlineAt }], actor);
    await page.locator('.need.of-overdue_task').getByText('Be quick').waitFor();
    const seenAt = await page.evaluate('Date.now()');
    expect(seenAt).toBeGreaterThanOrEqual(deadlineAt);
  });

  it('offers nothing to those who may only look', async () => {
    const { page, runtime, open } = await openPage('/activity', { isReadOnly: true });
    await sampleBoard(runtime);
    await open('/now');
    await page.locator('.need').first().waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.locator('main button').count()).toBe(0);
  });

  it('is shown on a wall without controls, in turn with the board', async () => {
    const { page, runtime, open, problems } = await openPage('/activity');
    await sampleBoard(runtime);
    await page.clock.install();
    await open('/now?kiosk=rotate');
    await page.getByText('Write the gateway to the provider').first().waitFor();
    expect(await page.getByRole('navigation', { name: 'Views' }).count()).toBe(0);
    expect(await page.locator('main button:visible').count()).toBe(0);
    await page.clock.fastForward(21_000);
    await page.locator('.column').first().waitFor();
    await page.clock.fastForward(21_000);
    await page.locator('.running').waitFor();
    expect(problems).toEqual([]);
  });
});
