import { it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

describeInBrowser('shots', () => {
  it('all', async () => {
    const { page, open, runtime } = await openPage('/');
    const say = async (name: string) => {
      try {
        await expectGoodLooks(page, name);
      } catch (e) {
        console.log(name, JSON.stringify((e as { actual?: unknown }).actual).slice(0, 900));
      }
    };
    await page.getByText('The board is empty').waitFor();
    await say('board-empty');
    const { goal, ids } = await sampleBoard(runtime);
    await page.getByText('Build the checkout page').waitFor();
    await say('board');
    await page.getByRole('button', { name: 'Add task' }).click();
    await say('board-add');
    await page.keyboard.press('Escape');
    await open('/board?view=list');
    await page.getByText('Build the checkout page').waitFor();
    await say('board-list');
    for (const key of ['gateway', 'legal', 'mail']) {
      await open(`/board/task/${ids[key]}`);
      await page.getByText('History').waitFor();
      await page.waitForTimeout(300);
      await say(`task-${key}`);
    }
    await open('/goals');
    await page.getByText('Take payments').waitFor();
    await say('goals');
    await open(`/goals/${goal}`);
    await page.getByText('critical path:').waitFor();
    await say('goal');
    const server = await connectServer({ home: runtime.home, env: { CLAUDE_PROJECT_DIR: '/home/ada/shop' } });
    const { slot } = await server.ok('claim_worker_slot', { worker_id: 'hedy' });
    await server.ok('claim_task', { taskId: 'invoice', workerId: 'hedy', workerSlot: slot });
    await open('/workers');
    await page.getByText('test-client').waitFor();
    await say('workers');
    await open('/activity');
    await page.waitForTimeout(500);
    await say('activity');
  }, 120000);
});
