import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

describeInBrowser('finding', () => {
  it('goes to a view, a task by its words or number, an action and a saved view, with keys alone', async () => {
    const { page, runtime, problems } = await openPage('/goals');
    const { ids } = await sampleBoard(runtime);
    const field = page.getByRole('combobox', { name: 'Find' });
    const first = page.locator('.palette [aria-selected=true]');
    await page.getByRole('button', { name: 'Find' }).waitFor();
    await page.keyboard.press('Control+k');
    await field.fill('gateway provider write');
    await page.getByRole('option', { name: 'Write the gateway to the provider' }).waitFor();
    await expectGoodLooks(page, 'palette');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => first.textContent()).toContain('Write the gateway');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Write the gateway to the provider' }).waitFor();

    await page.keyboard.press('Control+k');
    await field.fill(`#${ids.legal}`);
    await page.getByRole('option', { name: 'Have the terms checked' }).click();
    await page.getByRole('heading', { name: 'Have the terms checked' }).waitFor();

    await page.keyboard.press('Control+k');
    await field.fill('new task');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByLabel('Title').waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await field.fill('my board');
    await page.getByRole('option', { name: 'Save this view as “my board”' }).click();
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.waitForURL('**/jobs');
    await page.keyboard.press('Control+k');
    await field.fill('my board');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/board');
    expect(problems).toEqual([]);
  });

  it('has keys for who does not type, and leaves who types or wants none alone', async () => {
    const { page, runtime, problems } = await openPage('/activity');
    await sampleBoard(runtime);
    await page.getByText('ada completed').first().waitFor();
    await page.keyboard.press('j');
    const focused = () => page.evaluate<string>('document.activeElement.textContent');
    await expect.poll(focused).not.toContain('Skip');
    const one = await focused();
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await focused()).toBe(one);
    await page.keyboard.press('/');
    await page.keyboard.type('gj?');
    expect(await page.getByLabel('Text').inputValue()).toBe('gj?');
    await page.getByLabel('Text').fill('');
    await page.getByLabel('Text').blur();
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await help.getByText('g a').waitFor();
    await expectGoodLooks(page, 'shortcuts');
    await help.getByLabel('Shortcuts of a single key').uncheck();
    await help.getByRole('button', { name: 'Close' }).click();
    await help.waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('b');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/activity');
    expect(problems).toEqual([]);
  });

  it('shows everything that has the words, by kind with totals, and leads to it', async () => {
    const { page, open, runtime, problems } = await openPage('/now');
    await sampleBoard(runtime);
    await open('/search?q=payment');
    const tasks = page.locator('section').filter({ has: page.getByRole('heading', { name: /^Tasks/ }) });
    await tasks.getByRole('link', { name: 'Repair the old payment form' }).waitFor();
    await page.getByRole('heading', { name: /^Goals/ }).waitFor();
    await expectGoodLooks(page, 'search');
    await page.getByLabel('Search everything').fill('bern office');
    await tasks.getByText('Ask the office in Bern').waitFor();
    expect(page.url()).toContain('q=bern+office');
    await page.getByLabel('Search everything').fill('xyzzy');
    await page.getByText('Nothing has all of these words.').waitFor();
    expect(problems).toEqual([]);
  });

  it('notes are added to a task that another works on, and are shown with who wrote them', async () => {
    const { page, open, runtime, problems } = await openPage('/now');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.gateway}`);
    const notes = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Notes' }) });
    await notes.getByLabel('Note').fill('The sandbox is down\nuntil noon.');
    await notes.getByRole('button', { name: 'Add note' }).click();
    await notes.getByText('The sandbox is down').waitFor();
    await notes.getByRole('link', { name: 'owner' }).waitFor();
    await page.getByText(`owner noted on #${ids.gateway}`).waitFor();
    expect(await notes.getByLabel('Note').inputValue()).toBe('');
    expect(problems).toEqual([]);
  });
});
