import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';

const actor = { holder: null, project: '' };

describeInBrowser('a notice', () => {
  it('of an error stays until it is closed, one of success goes by itself', async () => {
    const { page, open, runtime } = await openPage('/board');
    const [task] = await runtime.tasks.create([{ title: 'Fragile' }], actor);
    if (!task) throw new Error('Nothing was created.');
    const end = (status: 'failed' | 'pending') =>
      runtime.tasks.updateStatus({ task: task.id, status, ...(status === 'failed' ? { error: 'e' } : {}) }, actor);
    await end('failed');
    await page.clock.install();
    await open(`/board/task/${task.id}`);
    const reset = page.getByRole('button', { name: 'Reopen' });
    await reset.click();
    const notices = page.locator('.notice');
    await notices.getByText('is on the board again').waitFor();
    await page.clock.fastForward(60_000);
    expect(await notices.count()).toBe(0);

    await end('failed');
    await reset.waitFor();
    // The page is paused, and does not see that another has the task meanwhile.
    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    const ada = { holder: 'loose:ada', project: '', hasHeartbeat: false };
    await end('pending');
    await runtime.tasks.updateStatus({ task: task.id, status: 'in_progress', claim: { workerId: 'ada' } }, ada);
    await reset.click();
    const error = page.getByRole('alert');
    await error.waitFor();
    await page.clock.fastForward(60_000);
    expect(await error.isVisible()).toBe(true);
    await error.getByRole('button', { name: 'Close notice' }).click();
    await error.waitFor({ state: 'detached' });
  });
});
