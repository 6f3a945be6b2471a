import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { accessibilityProblems, describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

describeInBrowser('the activity view', () => {
  it('tells what has happened and what happens in sentences, and holds it while paused', async () => {
    const { page, send, problems } = await openPage('/activity');
    await page.getByText('owner signed in').waitFor();
    await send('POST', '/api/tools/create_task', { body: '{"title": "Bake"}' });
    await page.getByText('owner created #1 Bake').waitFor();
    await page.getByRole('link', { name: 'Bake' }).waitFor();

    await page.getByRole('button', { name: 'Live' }).click();
    await send('POST', '/api/tools/create_task', { body: '{"title": "second"}' });
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    expect(await page.getByText('#2 second').count()).toBe(0);
    await page.getByRole('button', { name: 'Paused' }).click();
    await page.getByText('owner created #2 second').waitFor();
    const row = page.locator('.told-events li').filter({ hasText: '#2 second' });
    await row.locator('summary').click();
    await row.getByText('user:owner').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('is filtered by kind, actor, goal and words, and keeps its filters in the address', async () => {
    const { page, open, runtime, problems } = await openPage('/now');
    const { goal } = await sampleBoard(runtime);
    await runtime.tasks.create([{ title: 'Elsewhere' }], { holder: 'loose:ada', project: '' });
    const rows = page.locator('.told-events > li');
    await open('/activity');
    await page.getByText('(goal Take payments in the shop)').first().waitFor();
    await expectGoodLooks(page, 'activity');

    await page.getByLabel('Text').fill('completed tables design');
    await page.getByText('ada completed #1 Design tables for orders').waitFor();
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('Text').fill('');
    await page.getByRole('combobox', { name: 'actor' }).selectOption({ label: 'ada' });
    await page.getByText('ada created').waitFor();
    await expect.poll(() => page.getByText('grace').count()).toBeLessThanOrEqual(1);
    await open(`/activity?goal=${goal}&kind=goal`);
    await page.getByText('goal Take payments in the shop was created').waitFor();
    expect(await rows.count()).toBe(1);
    await open('/activity?kind=worktree');
    await page.getByText('Nothing that has happened passes').waitFor();
    expect(problems).toEqual([]);
  });

  it('goes back to the first change when one scrolls, and is found there again', async () => {
    const { page, open, runtime } = await openPage('/now');
    const titles = Array.from({ length: 130 }, (_, place) => ({ title: `Task no. ${place}` }));
    await runtime.tasks.create(titles, { holder: null, project: '' });
    await open('/activity?kind=task');
    await page.getByText('Task no. 129').waitFor();
    const first = page.getByRole('link', { name: 'Task no. 0', exact: true });
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, 4_000);
        return first.count();
      })
      .toBe(1);
    expect(await page.getByText('Show older').count()).toBe(0);
    await first.scrollIntoViewIfNeeded();
    const place = await page.evaluate<number>('scrollY');
    expect(place).toBeGreaterThan(500);
    await first.click();
    await page.getByRole('heading', { name: 'Task no. 0' }).waitFor();
    await page.goBack();
    await expect.poll(() => page.evaluate<number>('scrollY')).toBe(place);
    await first.waitFor();
  });
});
