import { expect, it } from 'vitest';
import { openJobs } from '../open-jobs.js';
import { describeInBrowser } from '../open-page.js';

describeInBrowser('an answer of 4 MB', () => {
  it('grows by what comes, and is there again after a reload', async () => {
    const { page, open, ask, ended, models, problems } = await openJobs('/jobs');
    const line = `${'A line of some eighty characters, as the models of today write them by the hour. '.slice(0, 79)}\n`;
    const pieces = Array.from({ length: 200 }, (_, index) => `part ${index}\n${line.repeat(260)}`);
    models.script.push({ pieces, delayMs: 40, heldAt: 100 });
    const id = await ask('Go on for long');
    await open(`/jobs/${id}`);
    const output = page.locator('.passage.writing');
    await output.locator('.piece').nth(20).waitFor();
    await page.evaluate("document.querySelector('.piece').isFirst = true");
    models.letGo();
    await ended(id);
    await page.getByRole('heading', { name: 'Answer' }).waitFor();
    const whole = pieces.join('');
    const shown = page.locator('.passage').first();
    await expect.poll(async () => (await shown.textContent())?.length).toBe(whole.length);
    // What was complete was not drawn again while the text grew.
    expect(await page.evaluate("document.querySelector('.piece').isFirst")).toBe(true);
    await page.reload();
    await expect.poll(async () => (await shown.textContent())?.length, { interval: 20 }).toBe(whole.length);
    expect(problems).toEqual([]);
  });
});
