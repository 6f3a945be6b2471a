import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const column = (page: Page, state: string) => page.locator(`.column.${state}`);
const card = (page: Page, title: string) => page.locator('.card-place').filter({ hasText: title });
const actor = { holder: null, project: '' };
const arabic = 'راجع واجهة الدفع ثم أرسل التقرير';
const endless = 'withoutanyspace'.repeat(20);
const markup = '<img src=x onerror="globalThis.harmed=1">';

describeInBrowser('work on the board', () => {
  it('is done by dragging a card to another column, where only what is allowed takes it', async () => {
    const { page, runtime, problems } = await openPage('/board');
    const { ids } = await sampleBoard(runtime);
    const cash = card(page, 'Offer cash on delivery');
    await cash.waitFor();
    await cash.locator('a').dragTo(column(page, 'in_progress'));
    const form = page.getByRole('dialog', { name: 'Claim this task' });
    await form.getByLabel('Who does it').fill(arabic);
    await form.getByRole('button', { name: 'Claim' }).click();
    await column(page, 'in_progress').getByText(arabic).waitFor();
    expect(await runtime.tasks.get('cash')).toMatchObject({ status: 'in_progress', workerId: arabic });

    // What waits for others can be neither begun nor done.
    const waiting = card(page, 'Let support refund an order');
    const box = await waiting.boundingBox();
    await page.mouse.move((box?.x ?? 0) + 30, (box?.y ?? 0) + 15);
    await page.mouse.down();
    await page.mouse.move((box?.x ?? 0) + 60, (box?.y ?? 0) + 40, { steps: 4 });
    await column(page, 'cancelled').and(page.locator('.drop')).waitFor();
    for (const state of ['ready', 'in_progress', 'completed', 'failed']) {
      expect(await column(page, state).getAttribute('class'), state).toContain('no-drop');
    }
    await page.mouse.up();
    await eventually('the drag is over', async () => (await page.locator('.no-drop').count()) === 0);

    // A folded column takes a card too; the result is asked for.
    await card(page, 'Offer cash on delivery').locator('a').dragTo(column(page, 'completed'));
    const end = page.getByRole('dialog', { name: 'Complete this task' });
    await end.getByText('works on it').waitFor();
    await end.getByLabel('Result').fill(`${markup}\n${endless}`);
    await end.getByRole('button', { name: 'Complete' }).click();
    await page.getByRole('status').getByText(`Task ${ids.cash} is completed.`).waitFor();
    expect(await runtime.tasks.get('cash')).toMatchObject({ status: 'completed', result: `${markup}\n${endless}` });
    expect(problems).toEqual([]);
  });

  it('is done with keys alone: a menu says where a card can go', async () => {
    const { page, runtime, problems } = await openPage('/board');
    await sampleBoard(runtime);
    const button = page.getByRole('button', { name: 'Move Have the terms checked' });
    await button.focus();
    await page.keyboard.press('Enter');
    const menu = page.getByRole('menu');
    await menu.waitFor();
    expect(await menu.getByRole('menuitem').allTextContents()).toEqual(['Reopen → Ready', 'Open']);
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    // At once: the next key is pressed by who knows the menu.
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Move Have the terms checked');
    await page.keyboard.press('Enter');
    await menu.waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    // Told to those who hear the page.
    await page.getByRole('status').getByText('is on the board again').waitFor();
    await column(page, 'ready').getByText('Have the terms checked').waitFor();
    expect(problems).toEqual([]);
  });

  it('is done to many cards at once, says what was refused, and is undone', async () => {
    const { page, runtime, problems } = await openPage('/board');
    const { ids } = await sampleBoard(runtime);
    const statusOf = async (key: string) => (await runtime.tasks.get(key)).status;
    await card(page, 'Create invoices').hover();
    await page.getByLabel('Select Create invoices').click();
    await page.getByLabel('Select Have the terms checked').click();
    const bar = page.getByRole('region', { name: 'Selected tasks' });
    await bar.getByText('2 tasks selected').waitFor();
    await bar.getByRole('button', { name: 'Cancel tasks' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('follows its own policy').waitFor();
    await dialog.getByRole('button', { name: 'Cancel tasks' }).click();
    const refused = page.getByRole('dialog', { name: '1 task stayed as they were' });
    await refused.getByText('is failed and cannot become cancelled').waitFor();
    await refused.getByRole('button', { name: 'Close' }).click();
    expect([await statusOf('invoice'), await statusOf('legal')]).toEqual(['cancelled', 'failed']);
    await page.getByRole('status').getByText('1 task cancelled, 1 refused.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually('it is back', async () => (await statusOf('invoice')) === 'pending');

    await page.getByRole('button', { name: 'Retry all failed' }).click();
    await dialog.getByRole('button', { name: 'Reopen' }).click();
    await eventually('it is open', async () => (await statusOf('legal')) === 'pending');
    expect(ids.legal).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  it('is done to a range of rows, and to all rows of a filter with more pages', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const goal = await runtime.goals.create({ name: `${arabic} ${endless}`, description: '' }, actor);
    await runtime.tasks.create(
      Array.from({ length: 130 }, (_, index) => ({ title: `Row ${index} ${index % 2 ? arabic : markup}` })),
      actor,
    );
    await open('/board?view=list&text=Row');
    const rows = page.locator('table.tasks tbody tr');
    await eventually('a page of rows', async () => (await rows.count()) === 100);
    await rows.nth(2).getByRole('checkbox').click();
    await rows
      .nth(6)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] });
    const bar = page.getByRole('region', { name: 'Selected tasks' });
    await bar.getByText('5 tasks selected').waitFor();
    await bar.getByRole('button', { name: 'Set priority' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Priority').selectOption('9');
    await dialog.getByRole('button', { name: 'Set priority' }).click();
    await page.getByRole('status').getByText('5 tasks given another priority.').waitFor();
    const priorities = async () => (await runtime.tasks.list({ limit: 130 })).map(({ priority }) => priority);
    expect((await priorities()).slice(0, 9)).toEqual([5, 5, 9, 9, 9, 9, 9, 5, 5]);

    await rows.nth(0).getByRole('checkbox').click();
    await bar.getByRole('button', { name: 'Select all 130' }).click();
    await bar.getByRole('button', { name: 'Move to a goal' }).click();
    await dialog.getByLabel('Goal').selectOption(String(goal.id));
    await dialog.getByRole('button', { name: 'Move to a goal' }).click();
    await page.getByRole('status').getByText('130 tasks moved.').waitFor();
    expect((await runtime.tasks.list({ limit: 130 })).every(({ goalId }) => goalId === goal.id)).toBe(true);
    await expectGoodLooks(page, 'board-list-hostile');
    expect(await page.evaluate('globalThis.harmed')).toBeUndefined();
    expect(problems).toEqual([]);
  });

  it('has columns that fold and stay folded, and rows by goal or worker', async () => {
    const { page, runtime, problems } = await openPage('/board');
    await sampleBoard(runtime);
    const elsewhere = await runtime.goals.create({ name: `${endless} ${arabic}`, description: '' }, actor);
    await runtime.tasks.create([{ title: `${markup} ${endless}`, goalId: elsewhere.id }, { title: arabic }], actor);
    await page.getByText(arabic, { exact: true }).waitFor();
    await card(page, 'Offer cash').getByText('Take payments in the shop').waitFor();
    expect(await column(page, 'completed').locator('.card').count()).toBe(0);
    await page.getByRole('button', { name: 'Unfold Completed' }).click();
    await column(page, 'completed').getByText('Design tables').waitFor();
    await page.getByRole('button', { name: 'Fold Waiting' }).click();
    await page.reload();
    await column(page, 'completed').getByText('Design tables').waitFor();
    expect(await column(page, 'waiting').locator('.card').count()).toBe(0);
    await expectGoodLooks(page, 'board-hostile');
    await page.setViewportSize({ width: 1024, height: 768 });
    for (const state of ['ready', 'in_progress', 'completed', 'failed']) {
      expect((await column(page, state).boundingBox())?.width, state).toBeGreaterThan(200);
    }

    await page.getByLabel('by', { exact: true }).selectOption('goal');
    await page.waitForURL('**/board?by=goal');
    const lane = page.getByRole('region', { name: 'Take payments in the shop' });
    await lane.getByText('Offer cash on delivery').waitFor();
    expect(await lane.getByText(arabic, { exact: true }).count()).toBe(0);
    await page.getByRole('region', { name: 'No goal' }).getByText(arabic, { exact: true }).waitFor();
    await expectGoodLooks(page, 'board-lanes');
    await page.getByLabel('by', { exact: true }).selectOption('worker');
    await page.getByRole('region', { name: 'ada' }).getByText('Write the gateway').waitFor();
    expect(problems).toEqual([]);
  });

  it('marks for a moment what has just changed, and not what another filter brings', async () => {
    const { page, runtime } = await openPage('/board');
    await sampleBoard(runtime);
    await card(page, 'Offer cash').waitFor();
    await eventually('no marks', async () => (await page.locator('.just-changed').count()) === 0);
    await runtime.tasks.edit('cash', { priority: 10 }, { holder: null, project: '/home/ada/shop' });
    await card(page, 'Offer cash').locator('.just-changed').waitFor();
    expect(await page.locator('.just-changed').count()).toBe(1);
    await eventually('the mark is gone', async () => (await page.locator('.just-changed').count()) === 0);
    await page.getByLabel('text').fill('invoice');
    await eventually('one card', async () => (await page.locator('.card').count()) === 1);
    expect(await page.locator('.just-changed').count()).toBe(0);
  });
});

describeInBrowser('a task', () => {
  it('is edited in every field, and what others have changed meanwhile stays', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { goal, ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.mail}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('dialog', { name: 'Edit this task' });
    expect(await form.getByLabel('Title').inputValue()).toBe('Send receipts by mail');
    expect(await form.getByLabel('Goal').inputValue()).toBe(String(goal));
    expect(await form.getByLabel('Waits for').inputValue()).toBe(`${ids.invoice}, ${ids.webhook}`);
    await form.getByLabel('Title').fill(`${arabic} ${markup}`);
    await form.getByLabel('Description').fill(`one\n${endless}`);
    await form.getByLabel('Acceptance criteria').fill('A receipt is there.');
    await form.getByLabel('Waits for').fill('cash');
    await form.getByText('More', { exact: true }).click();
    await form.getByLabel('Expected output').fill('A list of receipts.');
    await form.getByLabel('Key').fill('receipts');
    await form.getByLabel('If a dependency fails').selectOption('skip');
    // Somebody else raises the priority, and the form stays as it is.
    await runtime.tasks.edit('mail', { priority: 10 }, { holder: null, project: '/home/ada/shop' });
    await page.getByText('10 of 10').waitFor();
    expect(await form.getByLabel('Title').inputValue()).toBe(`${arabic} ${markup}`);
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: `${arabic} ${markup}` }).waitFor();
    expect(await runtime.tasks.get(ids.mail ?? 0)).toMatchObject({
      title: `${arabic} ${markup}`,
      description: `one\n${endless}`,
      acceptance: 'A receipt is there.',
      expectedOutput: 'A list of receipts.',
      key: 'receipts',
      onDependencyFailure: 'skip',
      priority: 10,
      goalId: goal,
      dependencies: [ids.cash],
    });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Send receipts by mail' }).waitFor();
    expect(await runtime.tasks.get(ids.mail ?? 0)).toMatchObject({
      key: 'mail',
      acceptance: null,
      expectedOutput: null,
      dependencies: [ids.invoice, ids.webhook],
    });
    expect(problems).toEqual([]);
  });

  it('that another holds is completed with a result all the same, and reopened', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.gateway}`);
    await page.getByRole('button', { name: 'Complete' }).click();
    const form = page.getByRole('dialog');
    await form.getByText('ada works on it: what it still reports is refused then.').waitFor();
    await form.getByLabel('Result').fill('Done by hand.');
    await form.getByRole('button', { name: 'Complete' }).click();
    await page.locator('.particulars .state').getByText('Completed').waitFor();
    expect(await runtime.tasks.get('gateway')).toMatchObject({ status: 'completed', result: 'Done by hand.' });
    const ada = { holder: 'loose:ada', project: '/home/ada/shop', hasHeartbeat: false };
    const late = { task: 'gateway', status: 'completed' as const, result: 'mine', claimToken: 1 };
    await expect(runtime.tasks.updateStatus(late, ada)).rejects.toMatchObject({ code: 'stale_claim' });
    await page.getByRole('button', { name: 'Reopen' }).click();
    await form.getByText('It is to be done again.').waitFor();
    await form.getByRole('button', { name: 'Reopen' }).click();
    await page.locator('.particulars .state').getByText('Ready').waitFor();
    expect(problems).toEqual([]);
  });
});
