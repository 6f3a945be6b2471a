import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { git, gitRepository, writeFiles } from '../worktrees/git-repository.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const state = (page: Page) => page.locator('.particulars .state');

async function confirm(page: Page, label: string): Promise<void> {
  await page.locator('.sheet-head').getByRole('button', { name: label }).click();
  await page.getByRole('dialog').getByRole('button', { name: label }).click();
}

describeInBrowser("a task's own page", () => {
  it('shows everything of it, and leads to what is before and after it', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.mail}?view=list`);
    await page.getByRole('heading', { name: 'Send receipts by mail' }).waitFor();
    await page.getByText('It waits for task invoice').waitFor();
    await page.getByRole('link', { name: 'Take payments in the shop' }).waitFor();
    await page.getByRole('link', { name: 'Receive webhooks' }).click();
    await page.getByRole('heading', { name: /^Receive webhooks/ }).waitFor();
    await page.getByRole('link', { name: 'Send receipts by mail' }).waitFor();
    await page.getByRole('link', { name: '← Board' }).click();
    // Back is where one came from.
    await page.waitForURL('**/board?view=list');

    await open('/board/task/schema');
    await page.getByText('Amounts are integers of the smallest unit.').waitFor();
    await page.getByText('began #').first().waitFor();
    expect(await savedJson(page)).toContain('"tokens_used": 61000');

    await open(`/board/task/${ids.legal}`);
    await page.locator('.passage.bad').getByText('Ask again then.').waitFor();
    expect(problems).toEqual([]);
    await open('/board/task/99999');
    await page.getByRole('alert').getByText('99999').waitFor();
  });

  it.each(['gateway', 'legal', 'mail'])('looks good: %s', async (key) => {
    const { page, open, runtime } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids[key]}`);
    await page.locator('.told-events li').first().waitFor();
    await page.locator('.neighbours li, .passage').first().waitFor();
    await expectGoodLooks(page, `task-${key}`);
  });

  it('shows its worktree with the diff, and merges it', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const project = gitRepository();
    const actor = { holder: null, project };
    const [task] = await runtime.tasks.create([{ title: 'Change two' }], actor);
    const claimed = await runtime.tasks.claimNext({}, {}, actor);
    const { id = 0, claimToken = 0 } = claimed ?? {};
    const owner = { taskId: id, claimToken };
    const { path } = await runtime.worktrees.open({ owner, title: 'Change two', directory: project }, actor);
    writeFiles(path, { 'a.txt': 'one\nTWO\nthree\n' });
    await runtime.tasks.updateStatus({ task: id, status: 'completed', claimToken, claim: {} }, actor);
    await open(`/board/task/${task?.id}`);
    const shown = page.locator('.worktree');
    await shown.getByText(`agent-runtime/${id}-change-two`).waitFor();
    await shown.getByText('1 file changed (+1 −1), 0 commits, some of it not committed').waitFor();
    await shown.getByText('Diff', { exact: true }).click();
    expect(await shown.locator('pre').textContent()).toContain('+TWO');
    await expectGoodLooks(page, 'task-worktree');
    await shown.getByRole('button', { name: 'Merge' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
    await shown.getByText('merged', { exact: false }).waitFor();
    await shown.getByRole('button', { name: 'Discard' }).waitFor({ state: 'detached' });
    expect(git(project, 'show', 'main:a.txt')).toContain('TWO');
    expect(problems).toEqual([]);
  });

  it('is claimed for somebody, for as long as they need', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.cash}`);
    await page.getByRole('button', { name: 'Claim' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Who does it').fill('Ada of sales');
    await form.getByLabel('For').selectOption('28800');
    await form.getByRole('button', { name: 'Claim' }).click();
    await page.getByRole('status').getByText('Ada of sales has task').waitFor();
    await state(page).getByText('In progress').waitFor();
    const task = await runtime.tasks.get('cash');
    expect(task).toMatchObject({ status: 'in_progress', workerId: 'Ada of sales' });
    expect((task.leaseExpiresAt ?? 0) - runtime.clock.now()).toBeGreaterThan(7 * 3_600_000);
    expect(problems).toEqual([]);
  });

  it('is taken from a session that is stuck, whose report is refused then', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    const stuck = await connectServer({ home: runtime.home });
    const claimed = await stuck.ok('update_task_status', { task_id: 'cash', status: 'in_progress' });
    await open(`/board/task/${ids.cash}`);
    await state(page).getByText('In progress').waitFor();

    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByText('loses its claim').waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await runtime.tasks.get('cash')).status).toBe('in_progress');

    await confirm(page, 'Release');
    await state(page).getByText('Ready').waitFor();
    const late = { task_id: 'cash', status: 'completed', claim_token: claimed.claim_token };
    expect((await stuck.call('update_task_status', late)).data).toMatchObject({ code: 'stale_claim' });
    expect((await runtime.tasks.get('cash')).status).toBe('pending');
    expect(problems).toEqual([]);
  });

  it('is given another priority, cancelled and reset, and its neighbours follow', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.webhook}`);
    await page.getByLabel('Priority').selectOption('10');
    await page.getByText('10 of 10').waitFor();
    expect((await runtime.tasks.get('webhook')).priority).toBe(10);

    await page.getByRole('button', { name: 'Cancel task' }).click();
    await page.getByText('the policy of 2 that wait for it').waitFor();
    await page.keyboard.press('Escape');
    expect((await runtime.tasks.get('webhook')).status).toBe('pending');
    await confirm(page, 'Cancel task');
    await state(page).getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: 'Reopen' }).click();
    await state(page).getByText('Waiting').waitFor();
    await page.locator('.told-events').getByText('reopened').waitFor();
    expect(await runtime.tasks.get('webhook')).toMatchObject({ status: 'pending', attempts: 0 });
    expect(problems).toEqual([]);
  });

  it('says why an action was refused', async () => {
    const { page, open, runtime } = await openPage('/activity');
    const { ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.cash}`);
    await page.getByRole('button', { name: 'Claim' }).waitFor();
    await page.getByRole('button', { name: 'Live' }).click();
    await runtime.tasks.updateStatus({ task: 'cash', status: 'in_progress' }, { holder: 'session:x', project: '' });

    await page.getByRole('button', { name: 'Claim' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Who does it').fill('late');
    await form.getByRole('button', { name: 'Claim' }).click();
    await form.getByRole('alert').getByText('is held by session:x').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Priority').selectOption('9');
    await page.getByRole('status').getByText('has priority 9').waitFor();
    // What one does oneself is shown at once, also while the page is held.
    await page.getByText('9 of 10').waitFor();
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    await state(page).getByText('In progress').waitFor();
    expect(await runtime.tasks.get('cash')).toMatchObject({ claimedBy: 'session:x', workerId: null, priority: 9 });
  });

  it('shows markup in any text as the text that it is, here and on every list', async () => {
    const { page, open, runtime, problems } = await openPage('/activity');
    const markup = (name: string) =>
      `<img src=x onerror="globalThis.harmed='${name}'"><script>harmed='${name}'</script>`;
    const actor = { holder: `loose:${markup('holder')}`, project: markup('project') };
    const goal = await runtime.goals.create({ name: markup('goal'), description: markup('about') }, actor);
    const [task, next] = await runtime.tasks.create(
      [
        {
          title: markup('title'),
          key: markup('key'),
          description: markup('description'),
          acceptance: markup('acceptance'),
          expectedOutput: markup('expected'),
          metadata: { [markup('name')]: markup('value') },
          goalId: goal.id,
        },
        { title: markup('next'), goalId: goal.id, dependencies: [markup('key')] },
      ],
      actor,
    );
    const claim = { workerId: markup('worker') };
    await runtime.tasks.updateStatus(
      { task: task?.id ?? 0, status: 'in_progress', claim, note: markup('note') },
      actor,
    );
    await runtime.slots.claim(markup('slot'), { ...actor, sessionId: undefined });
    const shows = async (path: string, ...names: string[]) => {
      await open(path);
      for (const name of names) {
        await page.getByText(markup(name)).filter({ visible: true }).first().waitFor();
      }
      expect(await page.evaluate('document.querySelectorAll("main img, main script").length'), path).toBe(0);
      expect(await page.evaluate('globalThis.harmed'), path).toBeUndefined();
    };
    await shows('/board', 'title', 'worker', 'next');
    await shows('/board?view=list', 'title', 'worker');
    await shows(`/board/task/${task?.id}`, 'description', 'acceptance', 'expected', 'worker', 'note', 'next');
    await shows('/goals', 'goal', 'about');
    await shows(`/goals/${goal.id}`, 'goal', 'about', 'title');
    await shows('/workers', 'slot', 'title');

    await runtime.tasks.updateStatus(
      { task: task?.id ?? 0, status: 'failed', error: markup('error'), result: markup('result') },
      actor,
    );
    await shows('/board', 'error');
    await shows(`/board/task/${task?.id}`, 'error', 'result');
    await shows(`/board/task/${next?.id}`, 'next');
    expect(problems).toEqual([]);
  });
});
