import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

describeInBrowser('what goes on now', () => {
  it('is the first view, and says who works on what and what has happened', async () => {
    const { page, runtime, problems } = await openPage('/');
    expect(await page.locator('nav[aria-label="Views"] [aria-current]').textContent()).toBe('Now');
    await page.getByText('Nothing is being worked on.').waitFor();
    await sampleBoard(runtime);
    const row = page.locator('.running li').filter({ hasText: 'Write the gateway to the provider' });
    await row.getByText('ada').waitFor();
    await row.getByText(/^\d+(\.\d)? (ms|s)$/).waitFor();
    await page.getByRole('heading', { name: 'In the last hour' }).waitFor();
    await page.locator('.history li').first().waitFor();
    await expectGoodLooks(page, 'now');
    expect(problems).toEqual([]);
  });
});
