import { expect, it } from 'vitest';
import { accessibilityProblems, describeInBrowser, openPage } from './open-page.js';

describeInBrowser('the activity view', () => {
  it('shows what has happened and what happens, and holds it while paused', async () => {
    const { page, send, problems } = await openPage('/activity');
    await page.getByText('browser_signed_in').waitFor();
    await send('POST', '/api/tools/create_task', { body: '{"title": "first"}' });
    await page.getByText('task 1 created').waitFor();

    await page.getByRole('button', { name: 'Live' }).click();
    await send('POST', '/api/tools/create_task', { body: '{"title": "second"}' });
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    expect(await page.getByText('task 2 created').count()).toBe(0);
    await page.getByRole('button', { name: 'Paused' }).click();
    await page.getByText('task 2 created').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
  });
});
