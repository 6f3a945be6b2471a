import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

describeInBrowser('the goals', () => {
  it('are listed with how far they are and what they have cost', async () => {
    const { page, runtime, problems } = await openPage('/goals');
    await page.getByText('No goals yet').waitFor();
    await page.getByText('agent-runtime tool create_goal').waitFor();
    await expectGoodLooks(page, 'goals-empty');
    await sampleBoard(runtime);
    const card = page.getByRole('link', { name: 'Take payments' });
    await card.getByText('2 of 12 done, 16 %').waitFor();
    await card.getByText('122,000 of 400,000 tokens').waitFor();
    await card.getByText('1 overdue').waitFor();
    await expectGoodLooks(page, 'goals');
    await page.getByRole('button', { name: 'Completed' }).click();
    await page.waitForURL('**/goals?status=completed');
    await page.getByText('No goal is completed.').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await card.click();
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

  it('stay usable with hundreds of tasks: the open ones are drawn first, and the drawing is scrolled', async () => {
    const { page, open, runtime } = await openPage('/activity');
    const actor = { holder: null, project: '' };
    const goal = await runtime.goals.create({ name: 'Large', description: '' }, actor);
    const chain = Array.from({ length: 600 }, (_, index) => ({
      title: `Step ${index}`,
      key: `step-${index}`,
      goalId: goal.id,
      dependencies: index < 10 ? [] : [`step-${index - 10}`],
    }));
    await runtime.tasks.create(chain, actor);
    await open(`/goals/${goal.id}`);
    await page.getByText('300 of 600 tasks are drawn, the open ones first.').waitFor();
    expect(await page.locator('.node').count()).toBe(300);
    expect(await page.locator('table.tasks tbody tr').count()).toBe(100);
    expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(6_000);
    const pan = page.getByLabel('Order of work: scroll or drag to move');
    await pan.focus();
    await page.keyboard.press('ArrowRight');
    await eventually(
      'it has moved',
      async () => (await pan.evaluate((element: { scrollLeft: number }) => element.scrollLeft)) > 0,
    );
    const before = await pan.evaluate((element: { scrollLeft: number }) => element.scrollLeft);
    const box = await pan.boundingBox();
    if (!box) throw new Error('The drawing is not shown.');
    await page.mouse.move(box.x + 600, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 150, { steps: 5 });
    await page.mouse.up();
    expect(await pan.evaluate((element: { scrollLeft: number }) => element.scrollLeft)).toBeGreaterThan(before + 200);
    // A drag that began on a task has not opened it.
    expect(page.url()).toContain(`/goals/${goal.id}`);
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
