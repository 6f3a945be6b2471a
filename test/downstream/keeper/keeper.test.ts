import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lookAtKeeper } from '../../../src/downstream/connection/keeper-transport.js';
import { runCli } from '../../cli/run-cli.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';
import { connectServer } from '../../support/mcp-client.js';
import { notedCalls, odd, textOf } from '../tool-runtime.js';
import {
  configure,
  openSession,
  pidOf,
  running,
  shared,
  sharedHome,
  socketOf,
  twoSessions,
  viewOf,
} from './shared-sessions.js';

const gone = (what: string, pids: number[]) => eventually(what, () => pids.every((pid) => !isAlive(pid)));
const noted = (file: string) => eventually(`a line in ${file}`, () => notedCalls(file).length > 0);

it('ten sessions that start at once have one keeper and two servers for two instances, and each gets its own answers', async () => {
  const home = configure(sharedHome(), { odd: shared({ instances: 2 }) });
  const all = await Promise.all(Array.from({ length: 10 }, () => connectServer({ home })));
  const calls = all.flatMap((session, index) =>
    Array.from({ length: 5 }, async (_, round) => {
      const text = `session ${index}, call ${round}`;
      const { result } = await session.ok('call_tool', { tool_name: 'odd.echo', arguments: { text } });
      return result.content[0].text === text;
    }),
  );
  expect(new Set(await Promise.all(calls))).toEqual(new Set([true]));

  const pids = running(home, 'odd-server.mjs');
  expect(pids).toHaveLength(2);
  // Of several that were started, all but one have seen that one is there.
  await eventually('there is one keeper', () => running(home, 'server-keeper.js').length === 1);
  for (const session of all) {
    // A call waits for the first instance that is there, so a session may come to know the second one later.
    const server = await eventually('the session is connected to both instances', async () => {
      const { servers } = await session.ok('list_tool_servers');
      return servers[0].instances.every(({ pid }: { pid?: number }) => pid !== undefined) && servers[0];
    });
    expect(server).toMatchObject({ shared: true, keeper_pid: running(home, 'server-keeper.js')[0] });
    expect(server.instances.map(({ pid }: { pid: number }) => pid).sort()).toEqual(pids.sort());
  }
});

it("a cancelled call is cancelled alone, though its id is that of another session's call", async () => {
  const home = sharedHome();
  const file = join(home, 'cancelled');
  const calls = join(home, 'calls');
  const [one, other] = await twoSessions({ odd: shared({ env: { CANCELLED_FILE: file, CALLS_FILE: calls } }) }, home);
  const ends = [new AbortController(), new AbortController()] as const;
  const pending = [one, other].map((session, index) => {
    const signal = (ends[index] as AbortController).signal;
    return session.call('odd.never', { mark: `of ${index}` }, { signal }).catch((error: unknown) => error);
  });
  await eventually('both are under way', () => notedCalls(calls).length === 2);
  ends[1].abort();
  expect(await pending[1]).toMatchObject({ code: 'cancelled' });
  await noted(file);
  expect(textOf(await one.call('odd.echo', { text: 'here' }))).toBe('here');
  expect(notedCalls(file)).toEqual(['of 1']);
  ends[0].abort();
  expect(await pending[0]).toMatchObject({ code: 'cancelled' });
  await eventually('the other is cancelled too', () => notedCalls(file).includes('of 0'));
});

it('progress reaches the session that has made the call, and no other', async () => {
  const all = await twoSessions({ odd: shared() });
  const heard = await Promise.all(
    all.map(async ({ call }, index) => {
      const steps: string[] = [];
      const answer = await call('odd.progress', { steps: 2 + index }, { onProgress: (step) => void steps.push(step) });
      expect(textOf(answer)).toBe('done');
      return steps;
    }),
  );
  expect(heard).toEqual([
    ['1 of 2: step 1', '2 of 2: step 2'],
    ['1 of 3: step 1', '2 of 3: step 2', '3 of 3: step 3'],
  ]);
});

it('a change of the tools reaches every session', async () => {
  const [one, other] = await twoSessions({ odd: shared() });
  expect(await pidOf(other)).toBe(await pidOf(one));
  await one.call('odd.grow');
  await eventually('the other session has the new tool', async () => {
    const { tools } = await other.downstream.tools({});
    return tools.some(({ name }) => name === 'odd.grown');
  });
});

it('after SIGKILL to the keeper a reading call is answered by a new one, another says what is unknown, and no process is left', async () => {
  const home = sharedHome();
  const calls = join(home, 'calls');
  const servers = { odd: shared({ env: { CALLS_FILE: calls } }), slow: shared({ env: { CALLS_FILE: calls } }) };
  const [one, other] = await twoSessions(servers, home);
  const reading = one.call('odd.hang_once', { file: join(home, 'once') });
  const writing = other.call('slow.add_hang').catch((error: unknown) => error);
  await eventually('both are under way', () => notedCalls(calls).length === 2);
  const [{ pid: keeper }, pids] = [await viewOf(one), running(home, 'odd-server.mjs')];
  expect(pids).toHaveLength(2);
  process.kill(keeper, 'SIGKILL');

  expect(await writing).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/slow#1, and then: the connection was lost .* It may have been carried out/),
  });
  expect(textOf(await reading)).toBe('well again');
  await gone('the processes of the old keeper', pids);
  expect(running(home, 'server-keeper.js')).not.toContain(keeper);
});

it('a session that is killed in the middle of a call cancels it, and leaves the others as they were', async () => {
  const home = sharedHome();
  const file = join(home, 'cancelled');
  const calls = join(home, 'calls');
  configure(home, { odd: shared({ env: { CANCELLED_FILE: file, CALLS_FILE: calls } }) });
  const data = join(home, 'data');
  const [lost, other] = [
    await connectServer({ home, env: { AGENT_RUNTIME_DATA_DIR: data } }),
    await connectServer({ home, env: { AGENT_RUNTIME_DATA_DIR: data } }),
  ];
  const pid = async () => (await other.ok('call_tool', { tool_name: 'odd.pid' })).result.content[0].text;
  const before = await pid();
  lost.call('call_tool', { tool_name: 'odd.never', arguments: { mark: 'lost' } }).catch(() => {});
  await eventually('it is under way', () => notedCalls(calls).includes('odd never lost'));
  const socket = readdirSync(join(data, 'keeper')).find((name) => name.endsWith('.sock')) ?? '';
  const places = async () => (await lookAtKeeper(join(data, 'keeper', socket), 30_000))?.instances[0]?.sessions;
  expect(await places()).toBe(2);

  process.kill(lost.pid, 'SIGKILL');
  await noted(file);
  expect(notedCalls(file)).toEqual(['lost']);
  await eventually('its place is free', async () => (await places()) === 1);
  expect(await pid()).toBe(before);
});

it('the keeper ends with its servers and its socket when no session is left; a socket that a killed one has left is no obstacle', async () => {
  const home = sharedHome();
  const servers = { odd: shared({ idle: 1_000 }) };
  const first = await openSession(servers, home);
  await pidOf(first);
  const socket = socketOf(first);
  const pids = [...running(home, 'odd-server.mjs'), ...running(home, 'server-keeper.js')];
  expect(pids).toHaveLength(2);
  first.close();
  await gone('the keeper and its server', pids);
  expect(existsSync(socket)).toBe(false);

  const second = await openSession(servers, home);
  await pidOf(second);
  const { pid: keeper } = await viewOf(second);
  second.close();
  process.kill(keeper, 'SIGKILL');
  await gone('the second keeper', [keeper]);
  expect(existsSync(socket)).toBe(true);
  const third = await openSession(servers, home);
  expect(isAlive(await pidOf(third))).toBe(true);
});

it('a process goes on after its last session for a while, and the next session finds it', async () => {
  const home = sharedHome();
  const first = await openSession({ odd: shared() }, home);
  const pid = await pidOf(first);
  first.close();
  const second = await openSession({ odd: shared() }, home);
  expect(await pidOf(second)).toBe(pid);
});

it('an instance that is scaled away ends when no session has it', async () => {
  const [one, other] = await twoSessions({ odd: shared() });
  const pid = await pidOf(one);
  expect(await pidOf(other)).toBe(pid);
  await one.downstream.scale('odd', 0, { holder: null, project: '' });
  await eventually('one session has it', async () => (await viewOf(other)).instances[0]?.sessions === 1);
  expect(isAlive(pid)).toBe(true);
  await other.downstream.sweep();
  await gone('it', [pid]);
});

it('a server that hangs is replaced for all', async () => {
  const home = sharedHome();
  const [one, other] = await twoSessions({ odd: shared({ timeout: 2_000, health: { timeout: 200 } }) }, home);
  const pid = await eventually('it is up', () => pidOf(one).catch(() => undefined));
  await other.call('odd.add_hang').catch(() => {});
  await gone('the process that hangs', [pid]);
  await eventually('there is another', async () => (await viewOf(one)).instances[0]?.pid !== undefined);
  expect(running(home, 'odd-server.mjs')).toHaveLength(1);
});

it('a session that ends while a call of another keeps the server busy leaves it alone', async () => {
  const home = sharedHome();
  const calls = join(home, 'calls');
  const settings = { health: { interval: 3_600_000, timeout: 50 }, env: { CALLS_FILE: calls } };
  const [one, other] = await twoSessions({ odd: shared(settings) }, home);
  const pid = await pidOf(one);
  expect(await pidOf(other)).toBe(pid);
  const blocked = one.call('odd.block', { ms: 3_000 });
  await eventually('it is busy', () => notedCalls(calls).includes('odd block'));
  other.close();
  expect(await blocked).toMatchObject({ attempts: [{ instance: 'odd#1' }] });
  expect(await pidOf(one)).toBe(pid);
});

it('a doubt of one session does not end a process that works', async () => {
  const home = sharedHome();
  const calls = join(home, 'calls');
  const [one, other] = await twoSessions({ odd: shared({ env: { CALLS_FILE: calls } }) }, home);
  const pid = await pidOf(one);
  const waiting = one.call('odd.wait', { ms: 5_000 });
  await eventually('it is under way', () => notedCalls(calls).includes('odd wait'));
  // After five of these the session gives its connection up; its calls that fail are not all that the process does.
  for (let index = 0; index < 5; index++) {
    await other.call('odd.malformed').catch(() => {});
    await one.call('odd.echo');
  }
  await eventually(
    'it has another connection',
    async () => (await other.downstream.servers())[0]?.instances[0]?.restarts,
  );
  expect(await waiting).toMatchObject({ attempts: [{ instance: 'odd#1' }] });
  expect((await viewOf(one)).instances).toMatchObject([{ pid }]);
});

it('a server that crashes comes back for all sessions', async () => {
  const home = sharedHome();
  const [one, other] = await twoSessions({ odd: shared() }, home);
  const pid = await pidOf(one);
  expect(await pidOf(other)).toBe(pid);
  expect(textOf(await one.call('odd.crash_once', { file: join(home, 'once') }))).toBe('well again');
  const next = await pidOf(one);
  expect(next).not.toBe(pid);
  expect(await pidOf(other)).toBe(next);
});

it('why a shared server does not start is told as for any other', async () => {
  const home = sharedHome();
  const down = join(home, 'down');
  const missing = { command: '/nowhere/to/be/found', shared: true };
  const session = await openSession({ missing, down: shared({ env: { DOWN_FILE: down } }) }, home);
  await expect(session.call('missing.echo')).rejects.toMatchObject({ message: /its command was not found/ });
  writeFileSync(down, '');
  await expect(session.call('down.echo')).rejects.toMatchObject({ message: /it ended with exit code 1 before it was/ });
});

it('a keeper that is stopped costs a call no more than its time limit, and answers when it goes on', async () => {
  const home = sharedHome();
  const servers = { odd: shared({ timeout: 4_000, startTimeout: 10_000 }) };
  const session = await openSession(servers, home);
  await eventually('it is up', () => pidOf(session).catch(() => undefined));
  const { pid: keeper } = await viewOf(session);
  process.kill(keeper, 'SIGSTOP');
  await expect(session.call('odd.add')).rejects.toMatchObject({ message: /no answer within|no instance was ready/ });
  process.kill(keeper, 'SIGCONT');
  await eventually('it answers', async () => {
    const answer = await session.call('odd.pid', {}, { maxStaleSeconds: 0 }).catch(() => undefined);
    return answer !== undefined && isAlive(Number(textOf(answer)));
  });
});

it('a mistake in the config file keeps no keeper from starting', async () => {
  const home = sharedHome();
  const session = await openSession({ odd: shared() }, home);
  writeFileSync(session.config.configPath, '{ "mcpServers": ');
  await eventually('the mistake is seen', async () => {
    await session.downstream.servers();
    return session.downstream.sick().length > 0;
  });
  expect(isAlive(await pidOf(session))).toBe(true);
});

it('what keeps the keeper from starting is in the error', async () => {
  const home = sharedHome();
  const session = await openSession({ odd: shared() }, home);
  mkdirSync(join(home, 'data'), { recursive: true });
  writeFileSync(join(home, 'data', 'keeper'), 'a file where the folder should be');
  await expect(session.call('odd.echo')).rejects.toMatchObject({ message: /is not a folder of this user/ });
});

it('list_tool_servers, servers list and doctor say what is shared, and by which keeper', async () => {
  const home = configure(sharedHome(), { odd: shared({ instances: 2 }), own: odd() });
  const list = async () => (await runCli(['servers', 'list', '--json'], { home })).json().servers;
  const keeperIn = async () => {
    const { checks } = (await runCli(['doctor', '--json'], { home })).json();
    return checks.find(({ group, name }: Record<string, string>) => group === 'Tool servers' && name === 'keeper');
  };
  expect(await list()).toMatchObject([{ server: 'odd', shared: true, keeper_pid: null }, { server: 'own' }]);
  expect(await keeperIn()).toMatchObject({ status: 'ok', detail: expect.stringContaining('not running') });

  const session = await connectServer({ home });
  await session.ok('call_tool', { tool_name: 'odd.echo' });
  const [keeper] = running(home, 'server-keeper.js');
  const [first, second] = (await session.ok('list_tool_servers')).servers;
  expect(first).toMatchObject({ server: 'odd', shared: true, keeper_pid: keeper });
  expect(second).not.toHaveProperty('shared');
  expect(second).not.toHaveProperty('keeper_pid');
  expect(await list()).toMatchObject([{ server: 'odd', shared: true, keeper_pid: keeper }, { server: 'own' }]);
  const instance = first.instances.find(({ pid }: { pid?: number }) => pid !== undefined);
  const { detail } = await keeperIn();
  expect(detail).toContain(`pid ${keeper}`);
  expect(detail).toContain(`${instance.id} (pid ${instance.pid}, 1 session)`);
});
