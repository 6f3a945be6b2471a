import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, type OpenedPage, openPage, savedJson } from './open-page.js';

const oddServer = join(projectRoot, 'test', 'fixtures', 'servers', 'odd-server.mjs');
const odd = { command: process.execPath, args: [oddServer] };

/** The page over a runtime whose config file names these servers. */
function openServers(mcpServers: Record<string, unknown>, options = {}): Promise<OpenedPage> {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return openPage('/servers', options, { home });
}

describeInBrowser('the servers', () => {
  it('begin with the command that brings some in', async () => {
    const { page, problems } = await openServers({});
    await page.getByText('No other MCP servers are set up.').waitFor();
    await page.getByText('agent-runtime servers import .mcp.json').waitFor();
    await expectGoodLooks(page, 'servers-empty');
    expect(problems).toEqual([]);
  });

  it('show what runs, how fast it answers and what fails, as calls are made', async () => {
    const { page, send, problems } = await openServers({
      odd: { ...odd, instances: 2 },
      wrong: { command: 5 },
      gone: { command: '/nonexistent/server', args: ['<img src=x onerror="document.title=1">'] },
    });
    const call = (tool: string, args = {}) =>
      send('POST', '/api/tools/call_tool', { body: JSON.stringify({ tool_name: tool, arguments: args }) });
    const server = (name: string) =>
      page.locator('section.server').filter({ has: page.getByRole('heading', { name }) });
    await server('odd').getByText('idle').waitFor();
    for (let count = 0; count < 6; count++) expect((await call('odd.echo', { text: 'hello' })).status).toBe(200);
    expect((await call('gone.anything')).status).not.toBe(200);
    await server('odd').getByText('up', { exact: true }).waitFor();
    const row = server('odd').locator('tbody tr').filter({ hasText: 'odd#1' });
    await row.getByText('ready').waitFor();
    // Which of the two has answered is chance.
    const latencies = server('odd').locator('tbody tr td:nth-child(6)');
    await expect.poll(() => latencies.allTextContents()).toContainEqual(expect.stringMatching(/ms$/));
    await server('gone').getByText('down').waitFor();
    await server('gone').locator('.error-line').waitFor();
    await server('wrong').getByText('Left out of the config file until its entry is corrected.').waitFor();
    expect(await server('wrong').locator('.error-line').textContent()).toContain('mcpServers.wrong.command');
    expect(await page.locator('main img').count()).toBe(0);
    await expectGoodLooks(page, 'servers');
    expect(await savedJson(page)).toContain('"odd#2"');
    expect(problems).toEqual([]);
  });

  it('say in which sessions they run, though this dashboard has started none', async () => {
    const { page, runtime } = await openServers({ odd: { ...odd, instances: 2 } });
    const card = page.locator('section.server').filter({ has: page.getByRole('heading', { name: 'odd' }) });
    await card.getByText('idle').waitFor();
    const session = await connectServer({ home: runtime.home });
    await session.ok('call_tool', { tool_name: 'odd.echo', arguments: { text: 'hello' } });
    await card.getByText('up', { exact: true }).waitFor();
    await card.getByText(/^(1 process|2 processes) of/).waitFor();
    // What is not known of other sessions is not shown as if it were.
    expect(await card.getByText('In flight here').count()).toBe(0);
    await session.close();
    await card.getByText(/process/).waitFor({ state: 'detached' });
    await card.getByText('idle').waitFor();
  });

  it('are scaled, and nothing that they run can be changed', async () => {
    const { page, problems } = await openServers({ odd });
    await page.getByRole('button', { name: 'Scale odd' }).click();
    await page.getByLabel('Instances').fill('3');
    expect(await page.getByRole('dialog').locator('input').count()).toBe(1);
    await expectGoodLooks(page, 'servers-scale');
    await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
    await page.getByText('odd#3').waitFor();
    expect(problems).toEqual([]);
  });

  it('cannot be scaled by who may only look', async () => {
    const { page, problems } = await openServers({ odd }, { isReadOnly: true });
    await page.getByText('odd#1').waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.locator('main button:not(.reader button, .tools button)').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('show their tools, which are tried by a form of their schema and routed', async () => {
    const { page, runtime, problems } = await openServers({ odd });
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Scale odd' }).click();
    // The way out and the action stand side by side.
    const [dismiss, scale] = await dialog.locator('.actions button').all();
    const [left, right] = [await dismiss?.boundingBox(), await scale?.boundingBox()];
    expect((right?.x ?? 0) - (left?.x ?? 0) - (left?.width ?? 0)).toBeLessThan(40);
    await page.keyboard.press('Escape');
    await page.getByText('Tools', { exact: true }).click();
    await page.getByRole('button', { name: 'Try odd.echo' }).click();
    const text = '\u202E\u05D0 <img src=x onerror="document.title=1">';
    await dialog.getByLabel('Arguments').fill(JSON.stringify({ text }));
    await dialog.getByRole('button', { name: /^Call/ }).click();
    await dialog.getByRole('heading', { name: 'Answer' }).waitFor();
    await dialog.locator('.answer').getByText('onerror').first().waitFor();
    await expectGoodLooks(page, 'servers-try');
    expect(await dialog.getByLabel('Arguments').inputValue()).toContain('onerror');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Route of odd.echo' }).click();
    await dialog.getByLabel('Cache seconds').fill('60');
    await dialog.getByLabel('Prefer').fill('nowhere');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.getByRole('alert').getByText('nowhere').waitFor();
    await dialog.getByLabel('Prefer').fill('odd');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await page.getByText('Route (set)').waitFor();
    expect(await runtime.downstream.routes()).toMatchObject([{ prefer: 'odd', cacheSeconds: 60 }]);
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems.filter((problem) => !problem.includes('40'))).toEqual([]);
  });
});
