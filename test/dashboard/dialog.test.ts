import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
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

  it('is open as soon as its button is pressed, so that the next key is meant for it', async () => {
    const { page } = await openPage('/goals');
    await page.getByRole('button', { name: 'Create goal' }).waitFor();
    // The page draws what has changed in the next microtask.
    const isOpen = await page.evaluate(`
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Create goal').click();
      Promise.resolve().then(() => document.querySelector('dialog').open)`);
    expect(isOpen).toBe(true);
  });

  it('is left without a question when what it shows has been changed elsewhere', async () => {
    const home = tempDir();
    mkdirSync(join(home, '.claude'));
    const odd = { command: process.execPath, args: [join(projectRoot, 'test/fixtures/servers/odd-server.mjs')] };
    writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers: { odd } }));
    const { page, send } = await openPage('/servers', {}, { home });
    await page.getByRole('button', { name: 'Scale odd' }).click();
    const count = page.getByLabel('Instances');
    await count.focus();
    expect(await count.inputValue()).toBe('1');
    const body = JSON.stringify({ server: 'odd', instances: 3 });
    expect((await send('POST', '/api/tools/scale_tool_server', { body })).status).toBe(200);
    await expect.poll(() => count.inputValue()).toBe('3');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});
