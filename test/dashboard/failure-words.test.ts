import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';

describeInBrowser('an address that names nothing', () => {
  it('is explained to a person, without the names of tools', async () => {
    const { page, open } = await openPage('/');
    for (const path of ['/jobs/none', '/relays/none', '/board/task/999', '/goals/none', '/breakers/x?before=%00']) {
      await open(path);
      await page.locator('main .problem, main .empty, main article').first().waitFor();
      const text = (await page.locator('main').textContent()) ?? '';
      expect(text, path).not.toMatch(/\b(get|list|create|update|call)_\w+|Call |Nothing was done/);
    }
  });
});
