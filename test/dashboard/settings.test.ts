import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const nobody = { holder: null, project: '' };

describeInBrowser('the settings', () => {
  it('make tokens that are shown once, revoke them, and sign out other browsers', async () => {
    const { page, runtime, send, problems } = await openPage('/settings');
    await page.getByText('Signed in as owner').waitFor();
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByLabel('Name').fill('<b>');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('dialog').getByText('cannot be the name of a token').waitFor();
    await page.getByLabel('Name').fill('Build server');
    await page.getByLabel('Rights').selectOption('read');
    await page.getByLabel('Ends after').selectOption('30');
    await page.getByRole('button', { name: 'Create' }).click();
    const token = await page.getByLabel('Token', { exact: true }).inputValue();
    const asToken = { headers: { authorization: `Bearer ${token}` } };
    expect((await send('GET', '/api/whoami', asToken)).data).toMatchObject({ name: 'Build server', read_only: true });
    // Neither who may only look nor a token for programs sees who else may come in.
    expect((await send('GET', '/api/page/settings', asToken)).status).toBe(400);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('in 30 d').first().waitFor();
    expect(await page.content()).not.toContain(token);

    const other = await runtime.access.create({ name: 'Grace', isReadOnly: false }, nobody);
    const full = { headers: { authorization: `Bearer ${other.token}` } };
    expect((await send('GET', '/api/page/settings', full)).data.access).toBeUndefined();
    const made = { ...full, body: JSON.stringify({ name: 'mine' }) };
    expect((await send('POST', '/api/page/create_token', made)).status).toBe(400);
    await runtime.access.signIn(await runtime.access.createCode({ tokenId: other.id, isReadOnly: false }), '');
    const browser = page.locator('tr', { has: page.getByRole('button', { name: 'Sign out', exact: true }) });
    await browser.getByText('Grace').waitFor();
    await expectGoodLooks(page, 'settings');
    await browser.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await expect.poll(() => browser.count()).toBe(0);
    await page.locator('tr', { hasText: 'Build server' }).getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The token Build server is revoked.').waitFor();
    expect((await send('GET', '/api/whoami', asToken)).status).toBe(401);
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });

  it('back up the database, and delete what is old or all tasks after saying how much that is', async () => {
    const { page, runtime, open, problems } = await openPage('/');
    await sampleBoard(runtime);
    await runtime.db.run(
      "update tasks set completed_at = 1, updated_at = 1 where status = 'cancelled' and goal_id is null",
    );
    await runtime.db.run(
      "update tasks set goal_id = null, completed_at = 1, updated_at = 1 where status = 'cancelled'",
    );
    await open('/settings');
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByText('-manual.').first().waitFor();
    await page.getByRole('button', { name: 'Delete what is old' }).click();
    await page.locator('.preview').getByText('Up to 1 tasks').waitFor();
    await expectGoodLooks(page, 'settings-purge');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Deleted: 1 tasks').waitFor();
    await page.getByRole('button', { name: 'Delete all tasks' }).click();
    await page.getByText('12 tasks go').waitFor();
    await page.getByLabel('Type the number of tasks').fill('11');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete all tasks' }).click();
    expect(await runtime.tasks.count({})).toBe(12);
    await page.getByLabel('Type the number of tasks').fill('12');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete all tasks' }).click();
    await page.getByText('12 tasks are deleted.').waitFor();
    expect(await runtime.tasks.count({})).toBe(0);
    const backups = runtime.maintenance.backups();
    expect(backups.map(({ name }) => /-([a-z-]+)\./.exec(name)?.[1])).toEqual([
      'before-clean',
      'before-purge',
      'manual',
    ]);
    for (const { path } of backups) expect(existsSync(path)).toBe(true);
    expect(problems).toEqual([]);
  });

  it('are nothing to who may only look', async () => {
    const { page, problems } = await openPage('/settings', { isReadOnly: true });
    await page.getByText('The other settings are for those who may change things.').waitFor();
    expect(await page.locator('main button').allTextContents()).toEqual(['Sign out here']);
    expect(problems).toEqual([]);
  });

  it('show where events go, and Now leads to one that is failing', async () => {
    const { page, runtime, open, problems } = await openPage('/');
    const webhook = {
      url: 'https://ci.example.com/hook?key=hidden',
      secret: 'whsec_AAAA',
      project: null,
      goalId: null,
    };
    await runtime.eventTargets.add({ name: 'ci', ...webhook, events: ['task.*'] }, nobody);
    await runtime.db.run(
      "update event_targets set status = 'disabled', disabled_why = 'it answered 410', failing_since = 1",
    );
    await open('/');
    await page.getByText('Failing webhook').first().waitFor();
    await page.getByRole('link', { name: 'ci', exact: true }).first().click();
    await page.getByText('disabled: it answered 410').waitFor();
    expect(await page.content()).not.toContain('key=hidden');
    await page.getByText('ci.example.com').waitFor();
    await expectGoodLooks(page, 'settings-webhooks');
    expect(problems).toEqual([]);
  });
});
