import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

/** Whether an element is within the part of the drawing that is seen. */
const isInView = (element: {
  getBoundingClientRect(): { left: number; right: number; top: number; bottom: number };
  closest(selector: string): { getBoundingClientRect(): { left: number; right: number; top: number; bottom: number } };
}): boolean => {
  const own = element.getBoundingClientRect();
  const seen = element.closest('.pan').getBoundingClientRect();
  return own.left >= seen.left && own.right <= seen.right && own.top >= seen.top && own.bottom <= seen.bottom;
};

describeInBrowser('the goals', () => {
  it('are listed with how far they are and what they have cost', async () => {
    const { page, runtime, problems } = await openPage('/goals');
    await page.getByText('No goals yet').waitFor();
    await page.getByText('agent-runtime tool create_goal').waitFor();
    await expectGoodLooks(page, 'goals-empty');
    await sampleBoard(runtime);
    const card = page.getByRole('row', { name: 'Take payments' });
    await card.getByText('2 of 12 done, 16 %').waitFor();
    await card.getByText('122,000 of 400,000 tokens').waitFor();
    await card.getByText('1 overdue').waitFor();
    await expectGoodLooks(page, 'goals');
    await page.getByRole('button', { name: 'Completed' }).click();
    await page.waitForURL('**/goals?status=completed');
    await page.getByText('No goal is completed.').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await card.getByRole('link').click();
    await page.getByRole('heading', { name: 'Take payments in the shop' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('are created with a budget, and cancelled after a question', async () => {
    const { page, runtime, problems } = await openPage('/goals');
    await page.getByRole('button', { name: 'Create goal' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('Open a second shop');
    await form.getByLabel('Description').fill('In Basel.');
    await form.getByLabel('Project').fill('/home/ada/basel');
    await form.getByLabel('Token budget').fill('5000');
    await form.getByRole('button', { name: 'Create' }).click();
    await page.waitForURL('**/goals/1');
    await page.getByRole('heading', { name: 'Open a second shop' }).waitFor();
    expect(await runtime.goals.get(1)).toMatchObject({
      description: 'In Basel.',
      project: '/home/ada/basel',
      budget: { cap: 5_000 },
    });

    await page.getByRole('button', { name: 'Add task' }).click();
    await page.getByRole('dialog').getByLabel('Title').fill('Rent a room');
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
    await page.locator('table.tasks').getByText('Rent a room').waitFor();

    await page.getByRole('button', { name: 'Cancel goal' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect((await runtime.goals.get(1)).status).toBe('active');
    await page.getByRole('button', { name: 'Cancel goal' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel goal' }).click();
    await page.locator('.badge.cancelled').waitFor();
    await page.locator('table.tasks .state.cancelled').waitFor();
    expect((await runtime.tasks.get(1)).status).toBe('cancelled');

    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.locator('table.tasks .state.ready').waitFor();
    expect(await runtime.tasks.get(1)).toMatchObject({ status: 'pending', error: null });
    expect((await runtime.goals.get(1)).status).toBe('active');
    expect(problems).toEqual([]);
  });

  it('are drawn with what must come first, and the drawing follows two other processes', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { goal, ids } = await sampleBoard(runtime);
    await open(`/goals/${goal}`);
    const node = (key: string) => page.locator(`.node[href="/board/task/${ids[key]}"]`);
    await node('gateway').waitFor();
    expect(await page.locator('.node').count()).toBe(13);
    expect(await page.locator('.graph path.edge').count()).toBe(11);
    // gateway, webhook, refunds, load: marked for those who see and for those who are read to.
    await page.getByText('The critical path: 4 open tasks').waitFor();
    expect(await page.locator('.node.critical').count()).toBe(4);
    expect(await page.getByText('on the critical path', { exact: true }).count()).toBe(4);
    expect(await page.locator('.graph path.edge.critical').count()).toBe(3);

    // What waits stands to the right of what it waits for.
    const left = async (key: string) => (await node(key).boundingBox())?.x ?? 0;
    expect(await left('schema')).toBeLessThan(await left('gateway'));
    expect(await left('gateway')).toBeLessThan(await left('webhook'));
    await expectGoodLooks(page, 'goal');

    const { home } = runtime;
    const [one, other] = await Promise.all([connectServer({ home }), connectServer({ home })]);
    await one.ok('update_task_status', { task_id: 'cash', status: 'in_progress' });
    await node('cash').getByText('in progress').waitFor();
    await other.ok('create_task', { title: 'Tell everybody', goal_id: goal, dependencies: ['load'] });
    await page.getByText('The critical path: 5 open tasks').waitFor();
    expect(await page.locator('.node').count()).toBe(14);

    await page.getByLabel('only what is open').check();
    await page.waitForURL('**?open=1');
    await eventually('open ones alone', async () => (await page.locator('.node.completed').count()) === 0);
    await node('webhook').click();
    await page.getByRole('heading', { name: /^Receive webhooks/ }).waitFor();
    expect(problems).toEqual([]);
  });

  it('stay usable with 500 tasks: folded, the critical path in view, unfolded and walked with keys', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const actor = { holder: null, project: '' };
    const goal = await runtime.goals.create({ name: 'Large', description: '' }, actor);
    const of = { goalId: goal.id };
    const chain = (index: number) => `chain-${index}`;
    await runtime.tasks.create(
      [
        // A column that is done, and 100 in a row after it, on the critical path.
        ...Array.from({ length: 20 }, (_, index) => ({ title: `Done ${index}`, key: `done-${index}`, ...of })),
        ...Array.from({ length: 100 }, (_, index) => ({
          title: `${index % 2 ? 'مهمة طويلة جدا في السلسلة' : 'chain'} ${index}`,
          key: chain(index),
          dependencies: index === 0 ? Array.from({ length: 20 }, (_, done) => `done-${done}`) : [chain(index - 1)],
          ...of,
        })),
        ...Array.from({ length: 200 }, (_, index) => ({ title: `Beside ${index}`, dependencies: [chain(3)], ...of })),
        ...Array.from({ length: 180 }, (_, index) => ({ title: `Alone ${index} ${'x'.repeat(200)}`, ...of })),
      ],
      actor,
    );
    for (let index = 0; index < 20; index++) {
      await runtime.tasks.updateStatus({ task: `done-${index}`, status: 'completed' }, actor);
    }
    await open(`/goals/${goal.id}`);
    const groups = page.locator('.graph button.node');
    await groups.getByText('20 done').waitFor();
    expect(await page.locator('.graph .node').count()).toBeLessThan(8);
    const critical = page.locator('.graph .node.critical');
    await critical.first().waitFor();
    expect(await critical.first().evaluate(isInView)).toBe(true);
    await groups.getByText('200 side by side').waitFor();
    await page.getByText('180 tasks without dependencies').waitFor();
    expect(await page.locator('.alone .node').count()).toBe(12);
    await eventually('nothing is wider than the window', () =>
      page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'),
    );
    expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(6_000);
    await expectGoodLooks(page, 'goal-large');

    // By keys: along the path, into a group, and on to the next task.
    await critical.first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('96 in a row');
    await page.keyboard.press('Enter');
    const focused = (text: string) =>
      eventually(`${text} has the focus`, async () =>
        String(await page.evaluate('document.activeElement.textContent')).includes(text),
      );
    await focused('chain 4');
    await page.keyboard.press('ArrowRight');
    await focused('مهمة طويلة جدا في السلسلة 5');
    await page.keyboard.press('ArrowLeft');
    await focused('chain 4');
    await page.getByRole('button', { name: 'Fold again' }).click();
    await groups.getByText('96 in a row').waitFor();

    // A group that is too large to draw is a list.
    await groups.getByText('200 side by side').click();
    await page.getByRole('dialog').getByRole('link', { name: 'Beside 199' }).waitFor();
    await page.keyboard.press('Escape');
    expect(problems).toEqual([]);
  });

  it('are drawn larger and smaller, and moved with the mouse', async () => {
    const { page, open, runtime } = await openPage('/activity');
    const actor = { holder: null, project: '' };
    const goal = await runtime.goals.create({ name: 'Long', description: '' }, actor);
    await runtime.tasks.create(
      Array.from({ length: 36 }, (_, index) => ({
        title: `Step ${index}`,
        key: `step-${index}`,
        goalId: goal.id,
        dependencies: index === 0 ? [] : [`step-${index - 1}`],
      })),
      actor,
    );
    await open(`/goals/${goal.id}`);
    await eventually('all are drawn', async () => (await page.locator('.graph .node').count()) === 36);
    const pan = page.getByLabel('Order of work: scroll or drag to move');
    const left = () => pan.evaluate((element: { scrollLeft: number }) => element.scrollLeft);
    await pan.focus();
    await page.keyboard.press('ArrowRight');
    await eventually('it has moved', async () => (await left()) > 0);
    const before = await left();
    const box = await pan.boundingBox();
    if (!box) throw new Error('The drawing is not shown.');
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + 600, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, y - 5, { steps: 5 });
    await page.mouse.up();
    expect(await left()).toBeGreaterThan(before + 200);
    // A drag that began on a task has not opened it.
    expect(page.url()).toContain(`/goals/${goal.id}`);
    const width = async () => (await page.locator('.graph').boundingBox())?.width ?? 0;
    const whole = await width();
    await page.getByRole('button', { name: 'Smaller' }).click();
    await eventually('it is smaller', async () => (await width()) < whole * 0.8);
    await page.getByRole('button', { name: 'Larger' }).click();
    await eventually('it is as before', async () => Math.abs((await width()) - whole) < 2);
  });

  it('are ordered by what needs attention, found by a part of their text, and short rows', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const actor = { holder: null, project: '' };
    const name = (index: number) =>
      `${index} ${index % 2 ? 'مشروع الترجمة إلى العربية '.repeat(8) : 'endlessword'.repeat(30)}`;
    for (let index = 1; index <= 14; index++) {
      await runtime.goals.create(
        { name: name(index), description: index === 9 ? 'a 100% <b>fruit</b>' : 'x '.repeat(300) },
        actor,
      );
    }
    const [failing] = await runtime.tasks.create([{ title: 'fails', goalId: 3 }], actor);
    await runtime.tasks.updateStatus({ task: failing?.id ?? 0, status: 'failed', error: 'e' }, actor);
    await runtime.goals.edit(14, { status: 'cancelled' }, actor);
    await open('/goals');
    const rows = page.locator('table.goals tbody tr');
    await eventually('all goals', async () => (await rows.count()) === 14);
    expect(await rows.first().getByRole('link').getAttribute('href')).toBe('/goals/3');
    expect(await rows.last().getByRole('link').getAttribute('href')).toBe('/goals/14');
    await expectGoodLooks(page, 'goals-hostile');
    await page.getByLabel('order').selectOption('newest');
    await eventually(
      'the newest is first',
      async () => (await rows.first().getByRole('link').getAttribute('href')) === '/goals/14',
    );
    await page.getByLabel('text').fill('100% <B>');
    await eventually('one goal', async () => (await rows.count()) === 1);
    expect(page.url()).toContain('order=newest');
    await page.getByLabel('text').fill('nothing has this');
    await page.getByText('No goal matches.').waitFor();
    expect(problems).toEqual([]);
  });

  it('are edited, and an edit is undone', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { goal } = await sampleBoard(runtime);
    await open(`/goals/${goal}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('مشروع <i>x</i>');
    await form.getByLabel('Token budget').fill('');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'مشروع <i>x</i>' }).waitFor();
    expect(await runtime.goals.get(goal)).toMatchObject({ name: 'مشروع <i>x</i>', budget: { cap: null } });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Take payments in the shop' }).waitFor();
    expect(await runtime.goals.get(goal)).toMatchObject({ budget: { cap: 400_000 } });
    expect((await runtime.goals.get(goal)).description).toContain('\nRefunds');
    expect(problems).toEqual([]);
  });

  it('are run by models, with the run in sight, paused, resumed and stopped', async () => {
    const { page, open, runtime, problems } = await openJobs('/activity');
    const actor = { holder: null, project: '' };
    const goal = await runtime.goals.create({ name: 'Ship it', description: '' }, actor);
    const slow = '[[model {"pieces": ["Half"], "ending": "hang"}]]';
    await runtime.tasks.create(
      [
        { title: `مهمة طويلة ${'x'.repeat(200)}`, description: slow, goalId: goal.id, priority: 9 },
        { title: 'second', goalId: goal.id },
      ],
      actor,
    );
    await open(`/goals/${goal.id}`);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Tasks at once').fill('1');
    await form.getByLabel('Token budget of the goal').fill('500000');
    await form.getByRole('button', { name: 'Run' }).click();
    const run = page.getByRole('region', { name: 'Run' });
    await run.getByText('0 of 2 tasks done, 1 under way').waitFor();
    await run.getByRole('link', { name: 'مهمة طويلة' }).waitFor();
    await expectGoodLooks(page, 'goal-run');
    await run.getByRole('button', { name: 'Pause' }).click();
    await run.getByText('paused', { exact: true }).waitFor();
    await run.getByText('1 under way, paused').waitFor();
    await run.getByRole('button', { name: 'Resume' }).click();
    await run.getByText('running', { exact: true }).waitFor();
    await run.getByRole('button', { name: 'Stop' }).click();
    await form.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('region', { name: 'Last run' }).getByText('cancelled').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
    expect((await runtime.tasks.list({ limit: 5 })).map(({ status }) => status)).toEqual(['pending', 'pending']);
    expect(problems).toEqual([]);
  });

  it('offer nothing that changes anything to those who may only look', async () => {
    const { page, open, runtime } = await openPage('/activity', { isReadOnly: true });
    const { goal } = await sampleBoard(runtime);
    await open('/goals');
    await page.getByRole('link', { name: 'Take payments' }).waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.getByRole('button', { name: 'Create goal' }).count()).toBe(0);
    await open(`/goals/${goal}`);
    await page.locator('.node').first().waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.locator('.sheet-head button').count()).toBe(0);
  });
});
