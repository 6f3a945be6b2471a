import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser } from './open-page.js';
import { openSample } from './open-sample.js';

describeInBrowser('a timeline', () => {
  it('shows who worked on what, says what a bar is, and opens it by mouse and by keyboard', async () => {
    const { page, open, ids, problems } = await openSample('/workers?window=1440');
    const timeline = page.locator('figure.timeline');
    const lane = (name: string) => timeline.locator('.lane').filter({ hasText: name });
    await lane('ada')
      .getByRole('link', { name: /^Write the gateway to the provider, ada, running/ })
      .waitFor();
    await lane('grace')
      .getByRole('link', { name: /^Have the terms checked, grace, failed/ })
      .hover();
    await timeline.locator('.timeline-readout').getByText('The office in Bern').waitFor();
    expect(await lane('llm jobs').getByRole('link').count()).toBeGreaterThan(30);
    await expectGoodLooks(page, 'timeline-workers');

    await timeline.getByText('As a table').click();
    const row = timeline.getByRole('row', { name: /^grace Restore the newest backup/ });
    await row.getByText('completed').waitFor();

    // The keyboard goes from bar to bar and opens one.
    await lane('ada').getByRole('link').first().focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    const first = await page.evaluate('document.activeElement?.getAttribute("href")');
    await page.keyboard.press('+');
    await page.waitForURL(/from=/);
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.search.includes('from='));
    await lane('ada')
      .getByRole('link', { name: /^Write the gateway/ })
      .focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Write the gateway to the provider' }).waitFor();
    expect(first).toBeTruthy();

    await open(`/goals/${ids.goal}`);
    await page
      .getByRole('group', { name: 'Tasks in time' })
      .getByRole('link', { name: /Have the terms/ })
      .waitFor();
    await open(`/relays/${ids.relay}`);
    const steps = page.getByRole('group', { name: 'Steps in time' });
    await steps.getByRole('img', { name: /analyzer.*, failed/ }).waitFor();
    await steps.getByRole('img', { name: /analyzer.*, running/ }).waitFor();
    await open(`/jobs/${ids.retriedJob}`);
    const attempts = page.getByRole('group', { name: 'Attempts in time' });
    await attempts.getByRole('img').nth(2).waitFor();
    expect(await attempts.getByRole('img', { name: /, failed/ }).count()).toBe(2);
    expect(problems).toEqual([]);
  });

  it('is looked at in part by dragging over it, which the address keeps', async () => {
    const { page } = await openSample('/workers?window=1440');
    const lanes = page.getByRole('group', { name: 'Work by worker' });
    await lanes.waitFor();
    const box = await lanes.locator('.lane').nth(1).locator('.track').boundingBox();
    if (!box) throw new Error('The lane has no size.');
    await page.mouse.move(box.x + box.width * 0.25, box.y + 4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 4);
    await page.mouse.move(box.x + box.width * 0.5, box.y + 4);
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    const { searchParams } = new URL(page.url());
    const length = Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '');
    // A quarter of what was shown: a day and a little of what comes.
    expect(length / 3_600_000).toBeGreaterThan(5);
    expect(length / 3_600_000).toBeLessThan(7.5);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.waitForURL((url) => !url.search.includes('from='));
  });
});
