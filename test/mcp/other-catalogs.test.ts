import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSettings, StdioServerSettings } from '../../src/base/server-settings.js';
import { serve } from '../http/serve.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { connectModern, modern } from '../support/modern-client.js';
import { projectRoot } from '../support/paths.js';
import { endProcessesOf } from '../support/processes-of.js';
import { tempDir } from '../support/temp-dir.js';

type Shown = Pick<StdioServerSettings, 'resources' | 'prompts' | 'instances' | 'shared'>;

/** The server with every feature of the protocol, as npm has it. */
function everything(shown: Shown): ServerSettings {
  const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
  return { command: process.execPath, args: [entry], ...shown };
}

function growing(shown: Shown, env: Record<string, string> = {}): ServerSettings {
  const entry = join(projectRoot, 'test', 'fixtures', 'servers', 'growing-server.mjs');
  return { command: process.execPath, args: [entry], env, ...shown };
}

function configure(home: string, mcpServers: Record<string, ServerSettings>): string {
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return home;
}

const homeWith = (servers: Record<string, ServerSettings>) => configure(tempDir(), servers);

/** Our server on a port, and a client of the first generation on it. */
const served = (servers: Record<string, ServerSettings>) => servedAt(homeWith(servers));

async function servedAt(home: string) {
  const { runtime, server, ownerToken } = await serve({}, { home });
  const url = new URL(`${server.url}/mcp`);
  const connect = async (token: string) => {
    const client = new Client({ name: 'old', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    const transport = new StreamableHTTPClientTransport(url, { requestInit });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    onTestFinished(() => client.close());
    return client;
  };
  return { runtime, url, ownerToken, connect, client: await connect(ownerToken) };
}

interface Lists {
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
}

const others = async (client: Lists) =>
  (await client.listResources()).resources.map(({ uri }) => uri).filter((uri) => uri.startsWith('server://'));
const otherPrompts = async (client: Lists) =>
  (await client.listPrompts()).prompts.map(({ name }) => name).filter((name) => name.includes('__'));

/** What a list has once the servers have started, however long that takes here. */
const once = <Item>(list: () => Promise<Item[]>) =>
  eventually('its servers have started', async () => {
    const items = await list();
    return items.length > 0 ? items : undefined;
  });

it('resources and templates of a server that shows them are listed, read and completed under our addresses', async () => {
  const { client } = await served({ everything: everything({ resources: true }) });
  const [uri = ''] = await once(() => others(client));
  const { resources } = await client.listResources();
  expect(uri).toMatch(/^server:\/\/everything\/demo:\/\/resource\/static\/document\//);
  expect(resources.find((one) => one.uri === uri)).toMatchObject({ mimeType: 'text/markdown' });
  const read = await client.readResource({ uri });
  expect(read.contents).toMatchObject([{ uri, text: expect.stringContaining('#') }]);

  const { resourceTemplates } = await client.listResourceTemplates();
  const uriTemplate = 'server://everything/demo://resource/dynamic/text/{resourceId}';
  expect(resourceTemplates).toContainEqual(expect.objectContaining({ uriTemplate, name: 'Dynamic Text Resource' }));
  const address = uriTemplate.replace('{resourceId}', '7');
  expect((await client.readResource({ uri: address })).contents).toMatchObject([
    { uri: address, text: expect.stringContaining('Resource 7') },
  ]);
  const suggested = await client.complete({
    ref: { type: 'ref/resource', uri: uriTemplate },
    argument: { name: 'resourceId', value: '7' },
  });
  expect(suggested.completion.values).toEqual(['7']);

  await expect(client.readResource({ uri: 'server://everything/demo://nothing' })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('The server everything did not answer resources/read'),
    data: { uri: 'server://everything/demo://nothing' },
  });
  // Its prompts were not asked for.
  expect(await otherPrompts(client)).toEqual([]);
});

it('prompts of a server that shows them are listed, filled in and completed; ours stay as they are', async () => {
  const { client } = await served({ everything: everything({ prompts: true, resources: true }) });
  await once(() => otherPrompts(client));
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['plan', 'everything__simple-prompt', 'everything__args-prompt']),
  );
  expect(prompts.find(({ name }) => name === 'everything__args-prompt')?.arguments).toMatchObject([
    { name: 'city', required: true },
    { name: 'state' },
  ]);
  const filled = await client.getPrompt({ name: 'everything__args-prompt', arguments: { city: 'Bern' } });
  expect(filled.messages).toMatchObject([
    { role: 'user', content: { type: 'text', text: expect.stringContaining('Bern') } },
  ]);
  const suggested = await client.complete({
    ref: { type: 'ref/prompt', name: 'everything__completable-prompt' },
    argument: { name: 'department', value: 'E' },
  });
  expect(suggested.completion.values).toEqual(['Engineering']);
  // What a prompt embeds has the address at which it can be read here.
  const embedding = await client.getPrompt({
    name: 'everything__resource-prompt',
    arguments: { resourceType: 'Text', resourceId: '3' },
  });
  expect(JSON.stringify(embedding.messages)).toContain('server://everything/demo://resource/dynamic/text/3');
  await expect(client.getPrompt({ name: 'everything__nothing' })).rejects.toMatchObject({ code: -32602 });
  await expect(client.getPrompt({ name: 'nobody__nothing' })).rejects.toThrow(/There is no prompt/);
});

it('nothing is shown of a server that does not say so, or to whoever may only read', async () => {
  const { client, runtime, connect } = await served({
    quiet: everything({}),
    shown: growing({ resources: true, prompts: true }),
  });
  expect(await once(() => others(client))).toEqual(['server://shown/grown:n1']);
  expect(await once(() => otherPrompts(client))).toEqual(['shown__n1']);
  await expect(client.readResource({ uri: 'server://quiet/demo://resource/dynamic/text/1' })).rejects.toThrow(
    /There is no resource/,
  );
  const { token } = await runtime.access.create({ name: 'screen', isReadOnly: true }, { holder: null, project: '' });
  const screen = await connect(token);
  expect([...(await others(screen)), ...(await otherPrompts(screen))]).toEqual([]);
  await expect(screen.readResource({ uri: 'server://shown/grown:n1' })).rejects.toThrow(/There is no resource/);
});

it('a server that the config file shows from now on is in the list, of which the client is told', async () => {
  const { client, runtime } = await served({ grows: growing({}) });
  let told = 0;
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void told++);
  expect(await others(client)).toEqual([]);
  configure(runtime.home, { grows: growing({ resources: true }) });
  expect(await once(() => others(client))).toEqual(['server://grows/grown:n1']);
  await eventually('it is told', () => told > 0);
});

it('a new session has the last lists of a server that does not start any more', async () => {
  const shown = { resources: true, prompts: true };
  const { client, runtime } = await served({ grows: growing(shown) });
  const before = [await once(() => others(client)), await once(() => otherPrompts(client))];
  configure(runtime.home, { grows: { command: 'no-such-command-anywhere', ...shown } });
  const { client: late } = await servedAt(runtime.home);
  expect([await others(late), await otherPrompts(late)]).toEqual(before);
});

it('a client that wants to follow a single one of them is told that it cannot', async () => {
  const { client } = await served({ grows: growing({ resources: true }) });
  const uri = 'server://grows/grown:n1';
  await expect(client.subscribeResource({ uri })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('Read it again with resources/read'),
    data: { uri },
  });
  await client.subscribeResource({ uri: 'runtime://status' });
});

it('when one instance has died, another one reads', async () => {
  const { client, runtime } = await served({ grows: growing({ resources: true, instances: 2 }) });
  const uri = 'server://grows/grown:n1';
  const pidOf = async () => {
    const [content] = (await client.readResource({ uri })).contents;
    return Number(/\d+$/.exec(String(content && 'text' in content ? content.text : ''))?.[0]);
  };
  const [one] = [await pidOf()];
  await eventually('both run', async () => {
    const [server] = await runtime.downstream.servers();
    return server?.instances.every(({ state }) => state === 'ready');
  });
  process.kill(one, 'SIGKILL');
  const pids = await Promise.all([pidOf(), pidOf(), pidOf()]);
  expect(pids.every((pid) => pid > 0 && pid !== one)).toBe(true);
});

it('those of a server that all sessions share are read by each of them, and each is told when they grow', async () => {
  const one = await served({ grows: growing({ resources: true, shared: true }) });
  onTestFinished(() => endProcessesOf(one.runtime.home));
  const uris = await once(() => others(one.client));
  expect(uris).toEqual(['server://grows/grown:n1']);
  const { client } = await servedAt(one.runtime.home);
  let told = 0;
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void told++);
  expect(await once(() => others(client))).toEqual(uris);
  const read = async (from: Client) => (await from.readResource({ uri: uris[0] ?? '' })).contents;
  expect(await read(client)).toEqual(await read(one.client));
  await one.client.callTool({ name: 'call_tool', arguments: { tool_name: 'grows.grow' } });
  await eventually('the other one is told', () => told > 0);
});

it('a change of a list is passed on in both versions of the protocol over HTTP', async () => {
  const { client, url, ownerToken } = await served({ grows: growing({ resources: true, prompts: true }) });
  const requestInit = { headers: { authorization: `Bearer ${ownerToken}` } };
  const told = { resources: 0, prompts: 0, modernResources: 0, modernPrompts: 0 };
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void told.resources++);
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => void told.prompts++);
  expect(client.getServerCapabilities()?.prompts).toEqual({ listChanged: true });
  const latest = new ModernClient({ name: 'new', version: '1' }, { versionNegotiation: { mode: { pin: modern } } });
  await latest.connect(new ModernHttp(url, { requestInit }));
  onTestFinished(() => latest.close());
  latest.setNotificationHandler('notifications/resources/list_changed', () => void told.modernResources++);
  latest.setNotificationHandler('notifications/prompts/list_changed', () => void told.modernPrompts++);
  expect(await once(() => others(client))).toEqual(['server://grows/grown:n1']);
  expect(await once(() => otherPrompts(client))).toEqual(['grows__n1']);
  await latest.listen({ resourcesListChanged: true, promptsListChanged: true });
  await client.callTool({ name: 'call_tool', arguments: { tool_name: 'grows.grow' } });
  await eventually('each is told', () => Object.values(told).every((count) => count > 0));
  expect(await others(latest)).toEqual(['server://grows/grown:n1', 'server://grows/grown:n2']);
  expect(await otherPrompts(latest)).toEqual(['grows__n1', 'grows__n2']);
});

it('so it is over stdio; and a server that starts slowly holds up no list for long, and is told of when it is there', async () => {
  const slow = growing({ resources: true }, { START_MS: '8000' });
  const home = homeWith({ grows: growing({ resources: true, prompts: true }), slow });
  const { client, ok } = await connectServer({ home });
  let told = 0;
  let prompts = 0;
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void told++);
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => void prompts++);
  expect(await once(() => otherPrompts(client))).toEqual(['grows__n1']);
  expect(await once(() => others(client))).toContain('server://grows/grown:n1');
  await eventually('the slow one has started', () => told > 0);
  expect(await others(client)).toEqual(['server://grows/grown:n1', 'server://slow/grown:n1']);
  await ok('call_tool', { tool_name: 'grows.grow' });
  await eventually('its prompts have grown', () => prompts > 0);

  const { client: latest, ok: call } = await connectModern({ home });
  let heard = 0;
  latest.setNotificationHandler('notifications/prompts/list_changed', () => void heard++);
  expect(await once(() => otherPrompts(latest))).toEqual(['grows__n1']);
  await latest.listen({ promptsListChanged: true });
  await call('call_tool', { tool_name: 'grows.grow' });
  await eventually('it is told', () => heard > 0);
  expect((await latest.getPrompt({ name: 'grows__n2' })).messages[0]).toMatchObject({ content: { text: 'n2' } });
});
