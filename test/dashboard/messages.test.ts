import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';

describeInBrowser('the messages', () => {
  it('are shown as they are sent, as text, and a person writes and answers them', async () => {
    const { page, runtime, problems } = await openPage('/messages');
    await page.getByText('No messages.').waitFor();
    await expectGoodLooks(page, 'messages-empty');
    const server = await connectServer({ home: runtime.home, env: { CLAUDE_PROJECT_DIR: '/home/ada/shop' } });
    await server.ok('claim_worker_slot', { worker_id: 'hedy' });
    const body = '<img src=x onerror=alert(1)>\nis it right?';
    await server.ok('send_message', { to: 'user', subject: 'The schema', body, importance: 'high' });
    const message = page.getByRole('article', { name: 'The schema', exact: true });
    await message.getByText('hedy to user').waitFor();
    expect(await message.locator('.passage').innerText()).toBe(body);
    await expectGoodLooks(page, 'messages');

    await message.getByRole('button', { name: 'Mark as read' }).click();
    await message.getByRole('button', { name: 'Mark as read' }).waitFor({ state: 'detached' });
    await page.getByText('Message to you marked as read.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await message.getByRole('button', { name: 'Mark as read' }).waitFor();

    await message.getByRole('button', { name: 'Answer' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('To').inputValue()).toBe('hedy');
    await dialog.getByLabel('Text').fill('It is.');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The message to hedy is sent.').waitFor();
    const { messages } = await server.ok('get_messages');
    expect(messages).toMatchObject([{ from: 'user', thread: 1, subject: 'Re: The schema', body: 'It is.' }]);

    await page.getByRole('button', { name: 'New message' }).click();
    await dialog.getByLabel('To').fill('nobody');
    await dialog.getByLabel('Subject').fill('Hello');
    await dialog.getByLabel('Text').fill('Who are you?');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await dialog.getByText('There is no worker or session "nobody"').waitFor();
    await dialog.getByLabel('To').fill('all');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('article', { name: 'Hello' }).waitFor();
    await message.getByRole('link', { name: 'Thread' }).click();
    await page.getByRole('article', { name: 'Hello' }).waitFor({ state: 'detached' });
    await eventually('the two of the thread', async () => (await page.getByRole('article').count()) === 2);
    // Of the message to nobody.
    expect(problems).toEqual([expect.stringContaining('404')]);
  });
});
