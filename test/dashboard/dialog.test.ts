import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';

describeInBrowser('a form', () => {
  it('asks before it throws away what was typed, and does not ask for nothing', async () => {
    const { page, runtime, problems } = await openPage('/goals');
    await page.getByRole('button', { name: 'Create goal' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').focus();
    await page.keyboard.press('Escape');
    await form.waitFor({ state: 'detached' });

    const text = 'قائمة طويلة '.repeat(20);
    await page.getByRole('button', { name: 'Create goal' }).click();
    await form.getByLabel('Name').fill(text);
    // A browser closes a dialog at the second Escape by itself.
    for (let times = 0; times < 3; times++) {
      await page.keyboard.press('Escape');
      expect(await form.getByLabel('Name').inputValue()).toBe(text);
    }
    const question = page.getByRole('alertdialog');
    await question.getByRole('button', { name: 'Keep editing' }).click();
    await question.waitFor({ state: 'detached' });
    expect(await form.getByLabel('Name').inputValue()).toBe(text);

    await form.getByRole('button', { name: 'Cancel' }).click();
    await question.getByRole('button', { name: 'Discard' }).click();
    await form.waitFor({ state: 'detached' });
    expect(await runtime.goals.list({ limit: 5 })).toEqual([]);
    expect(problems).toEqual([]);
  });
});
