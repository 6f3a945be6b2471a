import { setTimeout as sleep } from 'node:timers/promises';
import type { Page, Request } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { serve } from '../http/serve.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const column = (page: Page, state: string) => page.locator(`.column.${state}`);
const rows = (page: Page) => page.locator('table.tasks tbody tr');

describeInBrowser('the board', () => {
  it('says how to begin while it is empty, and looks good then', async () => {
    const { page, problems } = await openPage('/board');
    await page.getByText('The board is empty').waitFor();
    await page.getByText('agent-runtime tool create_task').waitFor();
    await expectGoodLooks(page, 'board-empty');
    expect(problems).toEqual([]);
  });

  it('follows what two other server processes do, without being loaded again', async () => {
    const { page, runtime, problems } = await openPage('/board');
    await page.getByText('The board is empty').waitFor();
    await unfoldAll(page);
    await page.getByText('The board is empty').waitFor();
    await page.evaluate('globalThis.isSamePage = true');
    const { home } = runtime;
    const [one, other] = await Promise.all([connectServer({ home }), connectServer({ home })]);

    await one.ok('create_task', { title: 'Lay the table', key: 'table' });
    await one.ok('create_task', { title: 'Serve', dependencies: ['table'] });
    await column(page, 'ready').getByText('Lay the table').waitFor();
    await column(page, 'waiting').getByText('waits for 1').waitFor();

    const claimed = await other.ok('claim_next_task', { worker_id: 'hedy' });
    await column(page, 'in_progress').getByText('hedy').waitFor();
    expect(await column(page, 'ready').locator('.card').count()).toBe(0);

    await other.ok('update_task_status', {
      task_id: claimed.id,
      status: 'completed',
      claim_token: claimed.claim_token,
    });
    await column(page, 'completed').getByText('Lay the table').waitFor();
    await column(page, 'ready').getByText('Serve').waitFor();
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    expect(problems).toEqual([]);
  });

  it('shows what changed between its first read and the first change that it is told of', async () => {
    const { page, context, server, send } = await openPage('/activity');
    const late = await context.newPage();
    // The stream of changes begins late; what happens until then is in no change.
    let letThrough = () => {};
    await late.route('**/api/events*', async (route) => {
      await new Promise<void>((resolve) => {
        letThrough = resolve;
      });
      await route.continue();
    });
    await late.goto(`${server.url}/board`);
    await late.getByText('The board is empty').waitFor();
    await send('POST', '/api/tools/create_task', { body: '{"title": "in between"}' });
    letThrough();
    await late.getByRole('link', { name: 'in between' }).waitFor();
    await page.close();
  });

  it('shows something also while the board changes faster than it can be read', async () => {
    const { page, runtime, server } = await openPage('/activity');
    await page.route(/\/api\/page\/board$/, async (route) => {
      await sleep(400);
      await route.continue().catch(() => {});
    });
    const writes: Promise<unknown>[] = [];
    const busy = setInterval(() => {
      writes.push(runtime.tasks.create([{ title: 'One of many' }], { holder: null, project: '' }));
    }, 50);
    onTestFinished(() => clearInterval(busy));
    await page.goto(`${server.url}/board`);
    await page.getByRole('link', { name: 'One of many' }).first().waitFor();
    clearInterval(busy);
    await Promise.all(writes);
  });

  it('goes on by itself where it was when its server was ended and started again', async () => {
    const { page, runtime, server } = await openPage('/board');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await server.close();
    await page.getByRole('button', { name: 'Reconnecting' }).waitFor();
    await runtime.tasks.create([{ title: 'Made meanwhile' }], { holder: null, project: '' });
    await serve({ page: { answer: () => undefined }, port: server.port }, { home: runtime.home });
    await page.getByRole('link', { name: 'Made meanwhile' }).waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
  });

  it('adds a task with all that is known of it', async () => {
    const { page, runtime, problems } = await openPage('/board');
    const { goal } = await sampleBoard(runtime);
    await column(page, 'ready').getByText('Offer cash').waitFor();
    await page.getByRole('button', { name: 'Add task' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Title').fill('Print labels');
    await form.getByLabel('Description').fill('For parcels.\nA6.');
    await form.getByLabel('Acceptance criteria').fill('A label is readable.');
    await form.getByLabel('Goal').selectOption(String(goal));
    expect(await form.getByLabel('Priority').inputValue()).toBe('5');
    await form.getByLabel('Priority').selectOption('8');
    await form.getByLabel('Waits for').fill('nowhere');
    await form.getByLabel('Deadline').fill('2099-03-04T05:06');
    const before = (await runtime.tasks.list({ limit: 100 })).length;
    await form.getByRole('button', { name: 'Add' }).click();
    expect(await form.getByRole('alert').textContent()).toContain('nowhere');
    expect(await runtime.tasks.list({ limit: 100 })).toHaveLength(before);

    await form.getByLabel('Waits for').fill('gateway, cash');
    await form.getByRole('button', { name: 'Add' }).click();
    await column(page, 'waiting').getByText('Print labels').waitFor();
    const [task] = await runtime.tasks.list({ limit: 1 });
    expect(task).toMatchObject({
      title: 'Print labels',
      description: 'For parcels.\nA6.',
      acceptance: 'A label is readable.',
      goalId: goal,
      priority: 8,
      deadlineAt: new Date('2099-03-04T05:06').getTime(),
    });
    expect(task?.dependencies).toHaveLength(2);
    // The refused call stands in the console, as any failed request does.
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
  });

  it('is filtered by state, goal, project, worker, text and lateness, and keeps all of it in the address', async () => {
    const { page, open, runtime, server } = await openPage('/board');
    const { goal } = await sampleBoard(runtime);
    const other = await runtime.goals.create({ name: 'Elsewhere', description: '' }, { holder: null, project: '/b' });
    await runtime.tasks.create([{ title: 'Far away', goalId: other.id }], { holder: null, project: '/b' });
    await page.getByRole('link', { name: 'Far away' }).waitFor();

    await unfoldAll(page);
    await page.getByLabel('goal').selectOption(String(goal));
    await page.waitForURL(`**/board?goal=${goal}`);
    await expectCount(page, 'Far away', 0);
    await page.getByLabel('text').fill('PAYMENT');
    await page.waitForURL('**text=PAYMENT');
    await eventually('four cards', async () => (await page.locator('.card').count()) === 4);

    await page.getByRole('button', { name: 'List' }).click();
    await page.getByRole('button', { name: /^Completed/ }).click();
    await eventually('two rows', async () => (await rows(page).count()) === 2);
    expect(page.url()).toBe(`${server.url}/board?goal=${goal}&text=PAYMENT&view=list&state=completed`);
    // The counts are those of the whole filtered board, whatever is listed.
    expect(await page.locator('.tabs').textContent()).toMatch(/All 4.*Completed 2.*Cancelled 1/);

    // Somebody who is given the address sees the same.
    await page.reload();
    await eventually('two rows again', async () => (await rows(page).count()) === 2);
    expect(await page.getByLabel('text').inputValue()).toBe('PAYMENT');
    expect(await page.getByLabel('goal').inputValue()).toBe(String(goal));

    await open('/board?project=%2Fb');
    await page.getByRole('link', { name: 'Far away' }).waitFor();
    expect(await page.locator('.card').count()).toBe(1);
    await open('/board?worker=linus');
    await page.getByRole('link', { name: 'Describe payments' }).waitFor();
    expect(await page.locator('.card').count()).toBe(1);
    await page.getByLabel('worker').selectOption('');
    await page.getByRole('button', { name: '1 task is overdue' }).click();
    await page.waitForURL('**/board?overdue=1');
    await eventually('one card', async () => (await page.locator('.card').count()) === 1);
    await open('/board?text=nothing%20has%20this');
    await page.getByText('No task matches.').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByRole('link', { name: 'Far away' }).waitFor();
  });

  it('looks good as columns, as a list, and with its form open', async () => {
    const { page, open, runtime, problems } = await openPage('/board');
    await sampleBoard(runtime);
    await page.getByText('Build the checkout page').waitFor();
    await expectGoodLooks(page, 'board');
    await page.getByRole('button', { name: 'Add task' }).click();
    await expectGoodLooks(page, 'board-add');
    await page.keyboard.press('Escape');
    await open('/board?view=list');
    await page.getByText('Build the checkout page').waitFor();
    await expectGoodLooks(page, 'board-list');
    expect(problems).toEqual([]);
  });

  it('is used with keys alone', async () => {
    const { page, runtime } = await openPage('/board');
    await sampleBoard(runtime);
    const card = page.getByRole('link', { name: 'Create invoices' });
    await card.waitFor();
    await page.getByRole('button', { name: 'Add task' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('title');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Add task');
    await card.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Create invoices as PDF' }).waitFor();
  });

  it('offers nothing that changes anything to those who may only look', async () => {
    const { page, open, runtime, problems } = await openPage('/activity', { isReadOnly: true });
    const { ids } = await sampleBoard(runtime);
    await open('/board');
    await page.getByText('Build the checkout page').waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.getByRole('button', { name: 'Add task' }).count()).toBe(0);
    for (const key of ['gateway', 'legal', 'cash']) {
      await open(`/board/task/${ids[key]}`);
      await page.getByRole('heading', { name: 'History' }).waitFor();
      expect(await page.locator('.sheet-head button, .sheet-head select').count(), key).toBe(0);
    }
    expect(problems).toEqual([]);
  });
});

describeInBrowser('a board of 10,000 tasks', () => {
  it('is as light as a small one: counts of all, nodes and requests of a few', async () => {
    const { context, runtime, server } = await openPage('/activity');
    await fill(runtime.db, 10_000);
    const page = await context.newPage();
    const requests: string[] = [];
    page.on('request', (request: Request) => {
      if (request.url().includes('/api/') && !request.url().includes('/api/events')) requests.push(request.url());
    });
    await page.goto(`${server.url}/board`);
    // Who is here, what there is to choose from, and the board.
    await page.getByRole('link', { name: '4,975 more' }).first().waitFor();
    await eventually('three requests', () => requests.length >= 3);
    // The latter two once more for a change; and for those of before, should they come in only now.
    await runtime.tasks.create([{ title: 'one more' }], { holder: 'person', project: '' });
    await page.getByRole('link', { name: '4,976 more' }).first().waitFor();
    expect(requests.length).toBeLessThanOrEqual(7);
    expect(await nodes(page)).toBeLessThan(2_500);
    expect(await column(page, 'ready').locator('.card').count()).toBe(25);
    expect(await column(page, 'completed').getByText('5,000').count()).toBe(1);

    requests.length = 0;
    await page.getByLabel('text').fill('task 99');
    // Words are found apart from each other: those with 99 anywhere.
    await column(page, 'ready').getByText('185', { exact: true }).waitFor();
    // What needs a person may be asked for again meanwhile, because of the change before.
    expect(requests.filter((url) => url.includes('page/board'))).toHaveLength(1);
    expect(await nodes(page)).toBeLessThan(2_500);

    requests.length = 0;
    await page.getByLabel('text').fill('');
    await page.getByRole('link', { name: '4,976 more' }).first().click();
    await eventually('a hundred rows', async () => (await rows(page).count()) === 100);
    expect(await nodes(page)).toBeLessThan(2_500);
    await page.getByRole('link', { name: 'Older' }).click();
    await page.waitForURL('**before=*');
    await page.getByRole('link', { name: 'Newest' }).waitFor();
    expect(await rows(page).count()).toBe(100);
    expect(requests.length).toBeLessThanOrEqual(4);
  });
});

/** Also the columns of what is over, which are folded at first. */
async function unfoldAll(page: Page): Promise<void> {
  await page.evaluate("localStorage.setItem('folded columns', '[]')");
  await page.reload();
}

async function expectCount(page: Page, text: string, count: number): Promise<void> {
  await eventually(`${count} times ${text}`, async () => (await page.getByText(text).count()) === count);
}

const nodes = (page: Page) => page.evaluate('document.querySelectorAll("*").length');

/** Half of them ready, half completed; straight into the table, as ten thousand calls would take a minute. */
async function fill(db: { run(text: string, ...values: number[]): Promise<number> }, count: number): Promise<void> {
  await db.run(
    `with recursive number (n) as (select 1 union all select n + 1 from number where n < ?)
     insert into tasks (title, status, created_at, updated_at, completed_at)
     select 'task ' || n, case when n % 2 = 0 then 'completed' else 'pending' end, n, n, case when n % 2 = 0 then n end
     from number`,
    count,
  );
}
