import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';

const evil = '<img src=x onerror="document.title=1"> \u202E\u05D0\u05D1';

describeInBrowser('the templates of tasks', () => {
  it('are made, used with values, changed and deleted', async () => {
    const { page, runtime, open, problems } = await openPage('/templates');
    const dialog = page.getByRole('dialog');
    await page.getByText('No templates yet.').waitFor();
    await page.getByRole('button', { name: 'New template' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('Release');
    await dialog.getByLabel('Title', { exact: true }).fill('Tag {{version}}');
    await dialog.getByLabel('Key', { exact: true }).fill('tag');
    await dialog.getByRole('button', { name: 'Add tasks' }).click();
    await dialog
      .getByLabel('Title', { exact: true })
      .nth(1)
      .fill(`Announce {{version}} ${evil} ${'x'.repeat(200)}`);
    await dialog.getByRole('button', { name: 'Add dependencies' }).nth(1).click();
    await dialog.getByLabel('Dependencies 1', { exact: true }).fill('tag');
    await expectGoodLooks(page, 'template-form');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Tag {{version}}').waitFor();
    await expectGoodLooks(page, 'templates');

    await page.getByRole('button', { name: 'Use Release' }).click();
    await dialog.getByLabel('version').fill('2.0');
    await dialog.getByRole('button', { name: 'Create tasks' }).click();
    await page.getByRole('link', { name: 'Tag 2.0' }).first().waitFor();
    const [first, second] = await runtime.tasks.list({ limit: 5 });
    expect([first, second].map((task) => task?.dependencies.length).sort()).toEqual([0, 1]);

    await open('/templates');
    await page.getByRole('button', { name: 'Edit Release' }).click();
    expect(await dialog.getByLabel('Dependencies 1', { exact: true }).inputValue()).toBe('tag');
    await dialog.getByRole('button', { name: 'Remove tasks 2' }).click();
    await dialog.getByLabel('Priority').fill('9');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.locator('.template-tasks li').count()).toBe(1);
    const [saved] = await runtime.tasks.listTemplates({ limit: 5 });
    expect(saved?.tasks).toEqual([{ title: 'Tag {{version}}', key: 'tag', priority: 9 }]);
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No templates yet.').waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
