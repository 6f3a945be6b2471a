// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholders.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSettings } from '../../src/base/server-settings.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { odd, toolRuntime } from './tool-runtime.js';

function homeWith(mcpServers: Record<string, ServerSettings>): string {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return home;
}

async function pidOf(server: Awaited<ReturnType<typeof connectServer>>, tool: string, args = {}): Promise<number> {
  const { result } = await server.ok('call_tool', { tool_name: tool, arguments: args });
  const pid = Number(result.content[0].text);
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return pid;
}

const gone = (what: string, pids: number[]) => eventually(what, () => pids.every((pid) => !isAlive(pid)));

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  '%s to our server leaves no tool server, however stubborn, and none of its children',
  async (signal) => {
    const server = await connectServer({
      home: homeWith({ good: odd({ instances: 2 }), bad: odd({ env: { STUBBORN: '1' } }) }),
    });
    const pids = [
      await pidOf(server, 'good.pid'),
      await pidOf(server, 'bad.pid'),
      await pidOf(server, 'bad.fork', { away: false }),
    ];
    expect(pids.every(isAlive)).toBe(true);
    process.kill(server.pid, signal);
    await gone(`all ended after ${signal}`, pids);
  },
);

it('a client that only closes its end leaves no tool server', async () => {
  const server = await connectServer({ home: homeWith({ bad: odd({ env: { STUBBORN: '1' } }) }) });
  const pid = await pidOf(server, 'bad.pid');
  await server.close();
  await gone('it has ended', [pid]);
});

it('a tool server behind a launcher ends with it', async () => {
  const shell: ServerSettings = {
    command: 'sh',
    args: ['-c', `"$0" "$1"; true`, process.execPath, ...(odd() as { args: string[] }).args],
  };
  const server = await connectServer({ home: homeWith({ shell: { ...shell, env: { STUBBORN: '1' } } }) });
  const pid = await pidOf(server, 'shell.pid');
  process.kill(server.pid, 'SIGKILL');
  await gone('it has ended', [pid]);
});

it('the next session ends what a killed session has left in a group of its own, once that session is proved dead', async () => {
  const home = homeWith({ odd: odd() });
  const server = await connectServer({ home });
  const away = await pidOf(server, 'odd.fork', { away: true });
  const own = await pidOf(server, 'odd.pid');
  process.kill(server.pid, 'SIGKILL');
  await gone('the server has ended', [server.pid, own]);
  expect(isAlive(away)).toBe(true);
  const next = await toolRuntime({ odd: odd() }, { home });
  await next.downstream.sweep();
  await gone('the child that went away has ended', [away]);
  expect(await next.db.all('select * from tool_processes')).toEqual([]);
});

it('a sweep ends no server of a session that lives', async () => {
  const home = homeWith({ odd: odd() });
  const server = await connectServer({ home });
  const pid = await pidOf(server, 'odd.pid');
  const other = await toolRuntime({ odd: odd() }, { home });
  await other.downstream.sweep();
  expect(isAlive(pid)).toBe(true);
  expect(await pidOf(server, 'odd.pid')).toBe(pid);
});

it('no process is started before a tool is called', async () => {
  const server = await connectServer({ home: homeWith({ odd: odd() }) });
  await server.ok('runtime_status');
  await server.ok('list_tool_servers');
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
  expect(children).toBe('');
});

it('our own server is not started by itself: by its name in the config, through a wrapper, or over a protocol', async () => {
  const home = homeWith({ again: { command: 'npx', args: ['-y', 'agent-runtime-mcp'] } });
  const refused = await connectServer({ home });
  const { all } = await refused.ok('runtime_status');
  expect(all.sick_servers[0]).toMatchObject({
    server: 'again',
    problem: expect.stringContaining('"agent-runtime-mcp" is this runtime itself'),
  });

  const { call } = await toolRuntime({ odd: odd({ env: { BARE: '1' } }) });
  await expect(call('odd.echo')).rejects.toMatchObject({ message: /it is this runtime itself/ });

  const marked = await toolRuntime({ odd: odd() }, { env: { AGENT_RUNTIME_TOOL_SERVER: 'x' } });
  await expect(marked.call('odd.echo')).rejects.toMatchObject({ message: /itself a tool server of another one/ });
});

it('no row holds the secret of a server', async () => {
  const home = tempDir();
  const runtime = await toolRuntime(
    { odd: odd({ env: { TOKEN: '${GIVEN}' } }) },
    { home, env: { GIVEN: 'sk-very-secret-value' } },
  );
  await runtime.call('odd.echo', { text: 'x' });
  await runtime.downstream.servers();
  const { path } = await runtime.maintenance.backup();
  expect(readFileSync(path).includes('sk-very-secret-value')).toBe(false);
});

it.each(['killed', 'scaled to none'])(
  'what a tool server has started in groups of its own ends with it when it is %s, while the session goes on',
  async (how) => {
    const server = await connectServer({ home: homeWith({ odd: odd() }) });
    const away = await pidOf(server, 'odd.fork', { away: true });
    const pid = await pidOf(server, 'odd.pid');
    expect(isAlive(away)).toBe(true);
    if (how === 'killed') process.kill(pid, 'SIGKILL');
    else await server.ok('scale_tool_server', { server: 'odd', instances: 0 });
    await gone('its child has ended too', [pid, away]);
    expect(await server.ok('list_tool_servers')).toBeDefined();
  },
);
