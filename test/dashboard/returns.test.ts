import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const uuid = '4fe63ffc-68f5-4d1c-9b0e-2f1f3a5c7e90';

describeInBrowser('moving about', () => {
  it('Back finds the place and the link by which a view was left; a new view has the focus', async () => {
    const { page, open, runtime } = await openPage('/activity');
    await runtime.tasks.create(
      Array.from({ length: 120 }, (_, index) => ({ title: `Task ${index + 1} of many` })),
      { holder: null, project: '' },
    );
    await open('/board?view=list');
    const link = page.getByRole('link', { name: 'Task 90 of many' });
    await link.scrollIntoViewIfNeeded();
    const y = await page.evaluate<number>('scrollY');
    expect(y).toBeGreaterThan(500);
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Task 90 of many' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('view');
    await page.goBack();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Task 90 of many');
    expect(Math.abs((await page.evaluate<number>('scrollY')) - y)).toBeLessThan(5);
  });

  it('an address without a view says so, and one that is not encoded as it should be does no harm', async () => {
    const { page, open, problems } = await openPage('/activity');
    await open('/nosuch');
    await page.getByText('There is no view at /nosuch').waitFor();
    await open('/breakers/%E0%A4%A');
    await page.getByRole('navigation').waitFor();
    expect(problems.filter((problem) => !problem.startsWith('Failed to load resource'))).toEqual([]);
  });
});

describeInBrowser('what is shown', () => {
  it.each([1440, 1024, 390])(
    'is nowhere wider than the window of %d, with real errors and long names',
    async (width) => {
      const { page, open, runtime } = await openPage('/activity');
      await page.setViewportSize({ width, height: 900 });
      const error = `Prices were not downloaded: ${'there is no file AAPL.csv in the directory of prices, '.repeat(20)}`;
      const { ids } = await sampleBoard(runtime);
      const actor = { holder: `job:${uuid}`, project: '' };
      await runtime.tasks.updateStatus(
        { task: 'cash', status: 'in_progress', claim: { workerId: 'w'.repeat(150) } },
        actor,
      );
      await runtime.tasks.updateStatus({ task: 'cash', status: 'failed', error }, actor);
      for (const path of ['/board', '/board?view=list', `/board/task/${ids.cash}`]) {
        await open(path);
        await page.getByText('Offer cash on delivery').first().waitFor();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
    },
  );

  it('has no marks that turn the text around', async () => {
    const { page, open, runtime } = await openPage('/activity');
    await runtime.tasks.create([{ title: 'live\u202egnp.exe' }], { holder: null, project: '' });
    await open('/board');
    await page.getByRole('link', { name: 'livegnp.exe' }).waitFor();
  });

  it('a task is completed with its result, also while somebody works on it', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.gateway}`);
    await page.getByRole('button', { name: 'Complete' }).click();
    const form = page.getByRole('dialog');
    await form.getByText('ada works on it').waitFor();
    await form.getByLabel('Result').fill('Merged.');
    await form.getByRole('button', { name: 'Complete' }).click();
    await page.locator('.particulars .state').getByText('Completed').waitFor();
    expect(await runtime.tasks.get('gateway')).toMatchObject({ status: 'completed', result: 'Merged.' });

    await open(`/board/task/${ids.cash}`);
    await page.getByRole('button', { name: 'Fail' }).click();
    await page.getByRole('dialog').getByLabel('What went wrong').fill('Nobody has change.');
    await page.getByRole('dialog').getByRole('button', { name: 'Fail' }).click();
    await page.locator('.passage.bad').getByText('Nobody has change.').waitFor();
    expect(problems).toEqual([]);
  });
});
