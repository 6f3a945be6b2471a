import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../src/base/json.js';
import { silentLog } from '../../../src/base/log.js';
import type { ServerSettings } from '../../../src/base/server-settings.js';
import { createDownstream } from '../../../src/downstream/downstream.js';
import type { NativeTool } from '../../../src/downstream/native/define-native-tool.js';
import { createServerProcesses } from '../../../src/downstream/processes.js';
import type { CallRequest } from '../../../src/downstream/routing/caller.js';
import { movingClock } from '../../support/moving-clock.js';
import { tempDir } from '../../support/temp-dir.js';
import { notedCalls, odd, type ToolRuntimeOptions, textOf, toolRuntime } from '../tool-runtime.js';

/** After this time a session has noticed the breakers that others have opened. */
const snapshotMs = 300;

const actor = { holder: 'session:test', project: '' };

interface Native {
  fails: boolean;
  asked: number;
}

/** A session with a native tool `echo` beside the servers. */
async function withNative(servers: Record<string, ServerSettings>, options: ToolRuntimeOptions = {}) {
  const runtime = await toolRuntime(servers, options);
  const native: Native = { fails: false, asked: 0 };
  const tool: NativeTool = {
    name: 'echo',
    title: 'Echo',
    description: 'Says it again.',
    input: z.strictObject({ text: z.string() }),
    isReadOnly: true,
    cacheSeconds: 0,
    execute: async ({ text }) => {
      native.asked++;
      if (native.fails) throw new Error('The service is down.');
      return { native: String(text) };
    },
  };
  const { config, db, clock, breakers } = runtime;
  const processes = {
    self: () => ({ hostId: '', bootId: '', pidNamespace: '', pid: 1, startTime: '' }),
    liveness: () => 'unknown' as const,
  };
  const downstream = createDownstream({
    config,
    db,
    clock,
    log: silentLog,
    redact: (text) => text,
    breakers,
    processes: createServerProcesses({ db, clock, processes, startTimeOf: () => undefined, endMarked: () => 0 }),
    keeper: { socket: '', logFile: '', summon: async () => {} },
    natives: [tool],
    readServers: () => config.servers,
    runNative: async (chosen, args, signal) =>
      chosen.execute(chosen.input.parse(args), { signal, db, clock, log: silentLog, settings: config.native }),
  });
  onTestFinished(() => downstream.close());
  return {
    ...runtime,
    native,
    downstream,
    call: (name: string, args: JsonObject = {}, more: Partial<CallRequest> = {}) =>
      downstream.call({ tool: name, args, signal: new AbortController().signal, ...more }),
  };
}

it('native first, then primary, then backups, then the cache, then an error that names them all', async () => {
  const toolPreferences = { me: { servers: ['one'] } };
  const servers = { one: odd({ backups: ['two'] }), two: odd() };
  const { call, native, downstream } = await withNative(servers, { config: { toolPreferences } });
  await call('one.echo');
  await call('two.echo');
  const ask = (text: string) => call('echo', { text }, { agentId: 'me', timeoutMs: 20_000 });
  expect(await ask('x')).toMatchObject({ source: 'native', result: { structuredContent: { native: 'x' } } });
  native.fails = true;
  expect(await ask('x')).toMatchObject({ source: 'primary', instance: 'one#1' });
  await downstream.scale('one', 0, actor);
  expect(await ask('x')).toMatchObject({ source: 'backup', instance: 'two#1' });
  await downstream.scale('two', 0, actor);
  expect(await ask('x')).toMatchObject({ source: 'cache', isStale: true });
  await expect(ask('never asked before')).rejects.toMatchObject({
    message: /^No source answered one\.echo\. native native: .*; primary one: .*; backup two: .*; cache: nothing/,
  });
});

it("a native tool's breaker opens after five failures, and it is not asked any more", async () => {
  const { call, native } = await withNative({});
  native.fails = true;
  for (let index = 0; index < 5; index++) await expect(call('echo', { text: 'x' })).rejects.toBeDefined();
  await expect(call('echo', { text: 'x' })).rejects.toMatchObject({ message: /circuit breaker of this tool is open/ });
  expect(native.asked).toBe(5);
});

it('a native tool of the same name comes first for a bare name, and is a backup for a full one', async () => {
  const { call, native } = await withNative({ odd: odd() });
  expect(await call('echo', { text: 'x' })).toMatchObject({ source: 'native' });
  expect(await call('odd.echo', { text: 'x' })).toMatchObject({ source: 'primary' });
  expect(await call('odd.echo', { text: 'x' }, { urgency: 'high' })).toMatchObject({ source: 'native' });
  // Arguments that the native tool does not take are the server's.
  expect(await call('echo', { text: 'x', mark: 'm' })).toMatchObject({ source: 'primary' });
  native.fails = true;
  const fallen = await call('echo', { text: 'y' });
  expect(fallen).toMatchObject({
    source: 'primary',
    attempts: [{ source: 'native', error: expect.any(String) }, { source: 'primary' }],
  });
});

it("an agent's preferences and stored rules choose who is asked first", async () => {
  const toolPreferences = { local: { native_tools: ['echo'] }, remote: { servers: ['two'] } };
  const { call, downstream } = await withNative(
    { one: odd({ backups: ['two'] }), two: odd() },
    { config: { toolPreferences } },
  );
  expect(await call('one.echo', { text: 'x' }, { agentId: 'local' })).toMatchObject({ source: 'native' });
  expect(await call('one.echo', { text: 'x' }, { agentId: 'remote' })).toMatchObject({ instance: 'two#1' });
  expect(await call('one.echo', { text: 'x' }, { agentId: 'stranger' })).toMatchObject({ instance: 'one#1' });
  await downstream.route('one.echo', { prefer: 'two' }, actor);
  expect(await call('one.echo', { text: 'x' })).toMatchObject({ instance: 'two#1', source: 'backup' });
  await expect(downstream.route('one.echo', { backups: ['three.x'] }, actor)).rejects.toMatchObject({
    code: 'not_found',
  });
});

it('a rule names a backup whose tool has another name', async () => {
  const { call, downstream } = await toolRuntime({ one: odd({ instances: 1 }), two: odd() });
  await downstream.route('one.refuse', { backups: ['two.echo'] }, actor);
  const outcome = await call('one.refuse', { text: 'from two' });
  expect(outcome).toMatchObject({ tool: 'two.echo', source: 'backup' });
  expect(textOf(outcome)).toBe('from two');
});

it('low urgency takes a server that is up rather than start another', async () => {
  const { call } = await toolRuntime({ one: odd({ backups: ['two'] }), two: odd() });
  await call('two.echo');
  expect(await call('one.echo', {}, { urgency: 'low' }).catch((error) => error)).toMatchObject({
    instance: expect.any(String),
  });
  const fresh = await toolRuntime({ one: odd({ backups: ['two'], idle: 1_000 }), two: odd() });
  await fresh.call('one.echo');
  await fresh.downstream.scale('one', 0, actor);
  await fresh.downstream.scale('one', 1, actor);
  await fresh.call('two.echo');
  expect(await fresh.call('one.echo', { text: 'x' }, { urgency: 'low' })).toMatchObject({ instance: 'two#1' });
});

it('retry_safe of a rule or of the config lets a lost call be repeated; false forbids it', async () => {
  const env = { CALLS_FILE: join(tempDir(), 'calls') };
  const { call, downstream } = await toolRuntime({
    odd: odd({ env, retrySafe: ['add_crash'], backups: ['spare'] }),
    spare: odd({ env }),
  });
  await expect(call('odd.add_crash', {}, { timeoutMs: 40_000 })).rejects.toMatchObject({
    message: /^No source answered/,
  });
  const tries = notedCalls(env.CALLS_FILE).length;
  expect(tries).toBeGreaterThan(2);
  await downstream.route('odd.add_crash', { retrySafe: false }, actor);
  await expect(call('odd.add_crash')).rejects.toMatchObject({ message: /may have been carried out/ });
  expect(notedCalls(env.CALLS_FILE)).toHaveLength(tries + 1);
});

it('a cached answer replaces a call only where configured, for so long, and is never an error', async () => {
  const clock = movingClock();
  const env = { CALLS_FILE: join(tempDir(), 'calls') };
  const { call, downstream } = await toolRuntime({ odd: odd({ env, cache: { echo: 60, refuse: 60 } }) }, { clock });
  await call('odd.echo', { text: 'x', mark: 'a' });
  const again = await call('odd.echo', { mark: 'a', text: 'x' });
  expect(again).toMatchObject({ source: 'cache', ageSeconds: 0 });
  expect(again.isStale).toBeUndefined();
  clock.pass(61_000);
  expect(await call('odd.echo', { text: 'x', mark: 'a' })).toMatchObject({ source: 'primary' });
  await call('odd.refuse');
  expect(await call('odd.refuse')).toMatchObject({ source: 'primary' });
  await call('odd.pid');
  expect(await call('odd.pid')).toMatchObject({ source: 'primary' });
  await downstream.route('odd.echo', { cacheSeconds: 0 }, actor);
  expect(await call('odd.echo', { text: 'x', mark: 'a' })).toMatchObject({ source: 'primary' });
  expect(notedCalls(env.CALLS_FILE)).toHaveLength(7);
});

it('the cache key is the same in every process', async () => {
  const one = await toolRuntime({ odd: odd({ cache: { echo: 600 } }) });
  await one.call('odd.echo', { text: 'x', mark: 'y' });
  await one.downstream.servers();
  one.close();
  const two = await toolRuntime({ odd: odd({ cache: { echo: 600 } }) }, { home: one.home });
  expect(await two.call('odd.echo', { mark: 'y', text: 'x' })).toMatchObject({ source: 'cache' });
});

it('a stale answer is no older than allowed, and never of a tool that changes something', async () => {
  const clock = movingClock();
  const { call, downstream } = await toolRuntime({ odd: odd() }, { clock });
  await call('odd.echo', { text: 'x' });
  await call('odd.add');
  await downstream.scale('odd', 0, actor);
  clock.pass(100_000);
  expect(await call('odd.echo', { text: 'x' }, { maxStaleSeconds: 100 })).toMatchObject({
    source: 'cache',
    isStale: true,
    ageSeconds: 100,
  });
  await expect(call('odd.echo', { text: 'x' }, { maxStaleSeconds: 99 })).rejects.toMatchObject({ code: 'unavailable' });
  await expect(call('odd.add')).rejects.toMatchObject({ code: 'unavailable' });
});

it('backups are asked behind their own breakers', async () => {
  const { call, breakers } = await toolRuntime({ one: odd({ backups: ['two'] }), two: odd() });
  await call('two.echo');
  for (let index = 0; index < 5; index++) {
    await breakers.recordFailure('tool:two.refuse', { type: 'exception', message: 'test' });
  }
  await new Promise((resolve) => setTimeout(resolve, snapshotMs));
  const outcome = await call('one.refuse');
  expect(outcome.attempts).toMatchObject([
    { source: 'primary' },
    { source: 'backup', error: 'the circuit breaker of this tool is open' },
  ]);
});

it('a half-open breaker lets only the allowed number of calls through, over all sessions', async () => {
  const clock = movingClock();
  const servers = { odd: odd() };
  const one = await toolRuntime(servers, { clock });
  const two = await toolRuntime(servers, { clock, home: one.home });
  await one.call('odd.echo');
  await two.call('odd.echo');
  for (let index = 0; index < 5; index++) {
    await one.breakers.recordFailure('tool:odd.wait', { type: 'timeout', message: 'test' });
  }
  clock.pass(301_000);
  await new Promise((resolve) => setTimeout(resolve, snapshotMs));
  const ended = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      (index % 2 === 0 ? one : two).call('odd.wait', { ms: 4_000 }, { maxStaleSeconds: 0 }).then(
        () => 'answered',
        () => 'refused',
      ),
    ),
  );
  expect(ended.filter((end) => end === 'answered')).toHaveLength(3);
  expect(await one.call('odd.wait', { ms: 1 })).toMatchObject({ source: 'primary' });
});

it('a source that failed more often than not, in any session, is asked after the others', async () => {
  const { call, downstream } = await toolRuntime({ one: odd({ backups: ['two'], timeout: 150 }), two: odd() });
  await call('two.echo');
  await downstream.route('one.malformed', { backups: ['two.echo'] }, actor);
  for (let index = 0; index < 4; index++) {
    expect((await call('one.malformed', { text: 'x' })).attempts).toHaveLength(2);
  }
  const stats = await downstream.stats({ tool: 'one.malformed', sinceMs: 60_000 });
  expect(stats).toMatchObject([{ source: 'primary', calls: 4, failed: 4 }]);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect((await call('one.malformed', { text: 'x' })).attempts).toMatchObject([
    { source: 'backup', instance: 'two#1' },
  ]);
});
