import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ServerSettings } from '../../src/base/server-settings.js';
import { chooseTools } from '../../src/tools/index.js';
import { tempDir } from '../support/temp-dir.js';
import { odd, type ToolRuntime, toolRuntime } from './tool-runtime.js';

/** A server of so many letters, which a client could not take as a part of a name. */
const long = 'l'.repeat(60);

/** The names under which tools are exposed, when each server has been listed. */
async function exposedNames(runtime: ToolRuntime): Promise<string[]> {
  return (await runtime.downstream.exposed()).tools.map(({ name }) => name);
}

async function listed(servers: Record<string, ServerSettings>): Promise<ToolRuntime> {
  const runtime = await toolRuntime(servers);
  for (const server of Object.keys(servers)) await runtime.downstream.check(server, 30_000);
  return runtime;
}

it('nothing is exposed unless its entry says so', async () => {
  const runtime = await listed({ plain: odd(), off: odd({ expose: false }) });
  expect(await exposedNames(runtime)).toEqual([]);
});

it('the tools that are named, allowed or not denied are exposed, some under other names', async () => {
  const runtime = await listed({
    some: odd({ expose: ['echo', 'file.read.v2'] }),
    chosen: odd({ expose: { allow: ['echo', 'pid', 'add'], deny: ['add'], rename: { pid: 'process_id' } } }),
  });
  expect(await exposedNames(runtime)).toEqual([
    'some__echo',
    'some__file_read_v2',
    'chosen__echo',
    'chosen__process_id',
  ]);
});

it('every name is one that clients take, is always the same, and belongs to one tool', async () => {
  const wanted = odd({ expose: true });
  const runtime = await listed({ [long]: wanted, odd: wanted });
  const names = await exposedNames(runtime);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(names).toContain('odd__echo');
  const own = new Set(chooseTools({ toolsets: 'all', isReadOnly: false }).map(({ name }) => name));
  expect([...own].filter((name) => name.includes('__'))).toEqual([]);
  expect(await exposedNames(await listed({ [long]: wanted, odd: wanted }))).toEqual(names);
});

it('two tools that would have one name both get another, and this is said', async () => {
  const servers = {
    a: odd({ expose: ['b__c'], env: { EXTRA_TOOL: 'b__c' } }),
    a__b: odd({ expose: ['c', 'no_such'], env: { EXTRA_TOOL: 'c' } }),
  };
  const runtime = await listed(servers);
  const names = await exposedNames(runtime);
  expect(names).toEqual([
    expect.stringMatching(/^a__b__c_[0-9a-f]{6}$/),
    expect.stringMatching(/^a__b__c_[0-9a-f]{6}$/),
  ]);
  expect(names[0]).not.toBe(names[1]);
  const turned = await listed({ a__b: servers.a__b, a: servers.a });
  expect(await exposedNames(turned)).toEqual([...names].reverse());
  const views = await runtime.downstream.servers();
  expect(views.map(({ server, exposed, exposeProblems }) => ({ server, exposed, exposeProblems }))).toEqual([
    { server: 'a', exposed: 1, exposeProblems: [`b__c is listed as ${names[0]}: a__b__c would be a__b.c too`] },
    {
      server: 'a__b',
      exposed: 1,
      exposeProblems: [
        'expose names the tool "no_such", which it does not have',
        `c is listed as ${names[1]}: a__b__c would be a.b__c too`,
      ],
    },
  ]);
});

it('a server of thousands of tools, or with endless descriptions, does not fill the list, and this is said', async () => {
  const home = tempDir();
  const file = join(home, 'description');
  writeFileSync(file, 'x'.repeat(60_000));
  const runtime = await listed({ many: odd({ expose: true, env: { MANY_TOOLS: '2000', DESCRIPTION_FILE: file } }) });
  expect(await exposedNames(runtime)).toHaveLength(299);
  const [view] = await runtime.downstream.servers();
  expect(view?.exposeProblems).toEqual([
    '1726 of its 2026 tools are not listed: name those that you want in expose',
    expect.stringMatching(/^echo is not listed: what it says of itself has 60\d+ characters$/),
  ]);
});

it('a server that was never listed is not waited for, starts in the background, and says when its tools are known', async () => {
  const { downstream } = await toolRuntime({
    hung: { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], expose: true },
    slow: odd({ expose: ['echo'], env: { START_DELAY: '300' } }),
  });
  const changed = new Promise<void>((resolve) => void downstream.onToolsChanged(resolve));
  expect(await downstream.exposed()).toMatchObject({ tools: [], unlisted: ['hung', 'slow'] });
  await changed;
  expect(await downstream.exposed()).toMatchObject({ tools: [{ name: 'slow__echo' }], unlisted: ['hung'] });
});
