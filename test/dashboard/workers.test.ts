import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';

describeInBrowser('the workers', () => {
  it('are shown as two processes come, work and go', async () => {
    const { page, runtime, problems } = await openPage('/workers');
    await page.getByText('No session is connected').waitFor();
    await page.getByText('All are free.').waitFor();
    expect(await page.locator('.slot').count()).toBe(5);
    await expectGoodLooks(page, 'workers-empty');

    const { home } = runtime;
    const one = await connectServer({ home, env: { CLAUDE_PROJECT_DIR: '/home/ada/shop' } });
    const other = await connectServer({ home, env: { CLAUDE_CODE_SESSION_ID: 'f00d', CLAUDE_PROJECT_DIR: '/b' } });
    const session = (words: string) => page.locator('table.sessions tbody tr').filter({ hasText: words });
    await session('/home/ada/shop').getByText('test-client in shop').waitFor();
    await session('test-client in b').getByText('1.0.0').waitFor();

    await one.ok('add_task', { id: 'bake', description: 'Bake the bread' });
    const { slot } = await one.ok('claim_worker_slot', { worker_id: 'hedy' });
    await one.ok('claim_task', { taskId: 'bake', workerId: 'hedy', workerSlot: slot });
    await page.locator('.slot.active').getByRole('link', { name: 'Bake the bread' }).waitFor();
    await session('/home/ada/shop').getByText('slot 1').waitFor();
    await session('/home/ada/shop').getByRole('link', { name: 'Bake the bread' }).waitFor();
    await session('test-client in b').getByText('nothing').waitFor();
    await expectGoodLooks(page, 'workers');

    await other.close();
    await session('test-client in b').getByText('ended').waitFor();
    expect(await savedJson(page)).toContain('"workerId": "hedy"');
    expect(problems).toEqual([]);
  });

  it('have the long-lived ones of the queue beside them, with what each takes and has', async () => {
    const { page, runtime, problems } = await openPage('/workers');
    const limits = { calls: 16, processes: 2 };
    await runtime.queueWorkers.begin({ id: 'w1', types: ['backtest'], provides: ['gpu'], url: null, ...limits });
    const section = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Workers of the queue' }) });
    await section.getByText('0 jobs now, up to 16 model calls and 2 others').waitFor();
    await section.getByText('backtest · has gpu').waitFor();
    await expectGoodLooks(page, 'workers-queue');
    await runtime.queueWorkers.end('w1');
    await section.waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  });

  it('have the paths that they have reserved beside them, with who has them and until when', async () => {
    const { page, runtime, problems } = await openPage('/workers');
    const reserved = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Reserved paths' }) });
    await reserved.getByText('None.').waitFor();
    const project = tempDir();
    const ada = await connectServer({ home: runtime.home, env: { CLAUDE_PROJECT_DIR: project } });
    await ada.ok('claim_worker_slot', { worker_id: 'ada' });
    await ada.ok('reserve_paths', { globs: ['src/store/**'], reason: 'the new engine' });
    const row = reserved.locator('tbody tr').filter({ hasText: `${project}/src/store/**` });
    await row.getByText('ada', { exact: true }).waitFor();
    await row.getByText('the new engine').waitFor();
    await row.locator('time').waitFor();
    await expectGoodLooks(page, 'workers-reserved');
    await ada.ok('release_paths', {});
    await reserved.getByText('None.').waitFor();
    expect(problems).toEqual([]);
  });

  it('lose a slot to whoever releases it, and its task is free again', async () => {
    const { page, runtime, problems } = await openPage('/workers');
    const stuck = await connectServer({ home: runtime.home });
    await stuck.ok('add_task', { id: 'bake', description: 'Bake the bread' });
    const { slot } = await stuck.ok('claim_worker_slot', { worker_id: 'hedy' });
    await stuck.ok('claim_task', { taskId: 'bake', workerId: 'hedy', workerSlot: slot });
    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByText('Bake the bread is free again').waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect((await runtime.tasks.get('bake')).status).toBe('in_progress');
    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.getByText('All are free.').waitFor();
    expect((await runtime.tasks.get('bake')).status).toBe('pending');
    const late = await stuck.call('update_task', { taskId: 'bake', status: 'done', workerId: 'hedy' });
    expect(late.data).toMatchObject({ code: 'stale_claim' });
    expect(problems).toEqual([]);
  });

  it('show who holds something without a session', async () => {
    const { page, send } = await openPage('/workers');
    await send('POST', '/api/tools/create_task', { body: '{"title": "By hand"}' });
    await send('POST', '/api/tools/update_task_status', {
      body: '{"task_id": 1, "status": "in_progress", "worker_id": "ada", "lease_seconds": 3600}',
    });
    const row = page.locator('tr').filter({ hasText: 'without a session' });
    await row.getByRole('link', { name: 'ada' }).waitFor();
    await row.getByRole('link', { name: 'By hand' }).waitFor();
  });

  it('offer no release to those who may only look', async () => {
    const { page, open, runtime } = await openPage('/activity', { isReadOnly: true });
    await runtime.slots.claim('hedy', { holder: null, project: '', sessionId: undefined });
    await open('/workers');
    await page.getByText('hedy').first().waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.getByRole('button', { name: 'Release' }).count()).toBe(0);
  });

  it('have the runners beside them with the jobs that they carry', async () => {
    const { page, ask, models, problems } = await openJobs('/workers');
    const runners = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Runners' }) });
    await runners.getByText('None runs.').waitFor();
    models.script.push({ silent: true });
    const id = await ask('Read all of \u05D0\u05D1\u05D2');
    const row = runners.locator('tbody tr');
    await row.getByRole('link', { name: 'Read all of' }).waitFor();
    await row.getByText(/^1 of \d+$/).waitFor();
    await row.getByText('model calls').waitFor();
    await expectGoodLooks(page, 'workers-runners');
    await row.getByRole('link').click();
    await expect.poll(() => page.url()).toContain(id);
    expect(problems).toEqual([]);
  });

  it('take a slot under a name from the page, and show a long title whole', async () => {
    const { page, runtime, problems } = await openPage('/workers');
    const name = `hedy ${'x'.repeat(90)}`;
    await page.getByRole('button', { name: 'Claim a slot' }).click();
    await page.getByLabel('Name of the worker').fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'Claim' }).click();
    await page.locator('.slot.active strong').getByText(name).waitFor();
    const actor = { holder: null, project: '' };
    const title = `Write the dashboard of ${'very '.repeat(12)}large boards`;
    await runtime.tasks.create([{ title }], actor);
    await runtime.workers.claim({ task: '1', workerId: name, slot: 1 }, actor);
    const link = page.locator('.slot.active a').filter({ hasText: 'large boards' });
    await link.waitFor();
    const overflow = await page.evaluate(
      "(() => { const link = document.querySelector('.slot.active a[href*=task]'); return link.scrollHeight - link.clientHeight; })()",
    );
    expect(overflow).toBeLessThanOrEqual(1);
    await expectGoodLooks(page, 'workers-long');
    expect(problems).toEqual([]);
  });
});
