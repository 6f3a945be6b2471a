import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { mainEntry } from '../support/paths.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const realTempDir = () => realpathSync(tempDir());

/** A client that names its roots, as opencode, Claude Code, Cursor and VS Code do. */
async function connectWithRoots(home: string, named: string[], { cwd = home, env = {} } = {}) {
  const client = new Client({ name: 'rooted', version: '1' }, { capabilities: { roots: { listChanged: true } } });
  const asked: string[][] = [];
  client.setRequestHandler(ListRootsRequestSchema, () => {
    asked.push([...named]);
    return { roots: named.map((path) => ({ uri: pathToFileURL(path).href })) };
  });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [mainEntry],
    env: { HOME: home, PATH: '/usr/bin:/bin', ...env },
    cwd,
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const ok = async (name: string, args: Record<string, unknown> = {}) => {
    const reply = await client.callTool({ name, arguments: args });
    if (reply.isError) throw new Error(JSON.stringify(reply.content));
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
    return reply.structuredContent as any;
  };
  return { client, ok, asked };
}

async function projectOfSession(home: string): Promise<string[]> {
  const { db } = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
  const rows = () => db.all<{ project: string }>('select project from sessions order by started_at');
  await eventually('a session', async () => (await rows()).length > 0);
  return (await rows()).map(({ project }) => project);
}

it("the client's environment names the project before all else, and nobody is asked", async () => {
  const home = realTempDir();
  const { ok, asked } = await connectWithRoots(home, ['/projects/root'], {
    env: { CLAUDE_PROJECT_DIR: '/projects/p' },
  });
  expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: '/projects/p' });
  expect(asked).toEqual([]);
});

it('else its first root does, also for the call that comes first, and not the directory it starts the server in', async () => {
  const home = realTempDir();
  const cwd = realTempDir();
  const { ok } = await connectWithRoots(home, ['/projects/ä b/', '/projects/other'], { cwd });
  expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: '/projects/ä b' });
  expect(await projectOfSession(home)).toEqual(['/projects/ä b']);
});

it('roots that change are asked for again, and the session moves with them', async () => {
  const home = realTempDir();
  const roots = ['/projects/one'];
  const { client, ok, asked } = await connectWithRoots(home, roots);
  await ok('runtime_status');
  roots[0] = '/projects/two';
  await client.sendRootsListChanged();
  await eventually('it has asked again', () => asked.length === 2);
  expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: '/projects/two' });
  await eventually('the session moves', async () => (await projectOfSession(home))[0] === '/projects/two');
});

it('a client without roots works in the directory in which it starts the server', async () => {
  const cwd = realTempDir();
  const server = await connectServer({ home: realTempDir(), cwd });
  expect(await server.ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: cwd });
});

it('no roots at all are none; the directory counts', async () => {
  const cwd = realTempDir();
  const { ok } = await connectWithRoots(realTempDir(), [], { cwd });
  expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: cwd });
});

it.each(['/', 'home'])('%s is no project', async (where) => {
  const home = realTempDir();
  const server = await connectServer({ home, cwd: where === 'home' ? home : where });
  expect((await server.ok('create_goal', { name: 'G', description: '' })).project).toBeUndefined();
});

it('a client that declares roots and does not answer is served all the same', async () => {
  const home = realTempDir();
  const cwd = join(home, 'work');
  mkdirSync(cwd);
  const server = startRawServer({ home, cwd });
  await server.initialize({ roots: {} });
  await server.next((message) => message.method === 'roots/list');
  const reply = await server.request('tools/call', {
    name: 'create_goal',
    arguments: { name: 'G', description: '' },
  });
  expect(reply.result.structuredContent).toMatchObject({ project: cwd });
});
