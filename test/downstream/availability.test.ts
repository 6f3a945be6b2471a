import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { movingClock } from '../support/moving-clock.js';
import { tempDir } from '../support/temp-dir.js';
import { notedCalls, odd, type ToolRuntime, textOf, toolRuntime } from './tool-runtime.js';

async function pidsOf({ downstream }: ToolRuntime, server: string): Promise<number[]> {
  const view = (await downstream.servers()).find((candidate) => candidate.server === server);
  return (view?.instances ?? []).flatMap(({ pid }) => pid ?? []);
}

async function kill(runtime: ToolRuntime, server: string): Promise<void> {
  for (const pid of await pidsOf(runtime, server)) process.kill(pid, 'SIGKILL');
}

/** Makes `count` calls, four at a time, and runs `act` before every so many of them. Resolves to the number that failed. */
async function callMany(
  runtime: ToolRuntime,
  {
    count,
    every,
    act,
    make,
  }: { count: number; every: number; act(): Promise<void>; make(index: number): Promise<unknown> },
): Promise<number> {
  let next = 0;
  let failed = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let index = next++; index < count; index = next++) {
        if (index % every === 0 && index > 0) await act();
        await make(index).catch(() => failed++);
      }
    }),
  );
  await runtime.downstream.stats({ sinceMs: 60_000 });
  return failed;
}

async function shares(runtime: ToolRuntime): Promise<Record<string, number>> {
  const stats = await runtime.downstream.stats({ sinceMs: 3_600_000 });
  const sums: Record<string, number> = {};
  for (const { source, calls, failed } of stats) sums[source] = (sums[source] ?? 0) + calls - failed;
  return sums;
}

it('of 1,000 reading calls on 3 instances none fails while one instance is killed every 20 calls', async () => {
  const runtime = await toolRuntime({ odd: odd({ instances: 3 }) });
  let turn = 0;
  let killed = 0;
  const failed = await callMany(runtime, {
    count: 1_000,
    every: 20,
    async act() {
      await eventually('one is up, and is killed', async () => {
        const up = await pidsOf(runtime, 'odd');
        return up.length > 0 && process.kill(up[turn++ % up.length] ?? 0, 'SIGKILL');
      });
      killed++;
    },
    make: (index) => runtime.call('odd.echo', { text: String(index) }),
  });
  expect(failed).toBe(0);
  expect(killed).toBe(49);
  expect(await shares(runtime)).toEqual({ primary: 1_000 });
});

it('of 1,000 reading calls none fails while every primary is down, and none once the backups are down too and an answer is cached', async () => {
  const directory = tempDir();
  const down = (name: string) => join(directory, name);
  const runtime = await toolRuntime({
    one: odd({ instances: 3, env: { DOWN_FILE: down('one') }, backups: ['two'] }),
    two: odd({ instances: 3, env: { DOWN_FILE: down('two') } }),
  });
  const texts = Array.from({ length: 10 }, (_, index) => `text ${index}`);
  const seen: Record<string, number> = {};
  const make = async (index: number) => {
    const { source } = await runtime.call('one.echo', { text: texts[index % 10] ?? '' });
    seen[source] = (seen[source] ?? 0) + 1;
  };
  const rest = { every: 1_001, act: async () => {}, make };
  expect(await callMany(runtime, { count: 20, ...rest })).toBe(0);

  writeFileSync(down('one'), '');
  await kill(runtime, 'one');
  expect(await callMany(runtime, { ...rest, count: 1_000, every: 20, act: () => kill(runtime, 'one') })).toBe(0);
  // An instance that was just starting may still have answered some.
  expect(seen.backup).toBeGreaterThan(900);

  writeFileSync(down('two'), '');
  await kill(runtime, 'two');
  expect(await callMany(runtime, { count: 1_000, ...rest })).toBe(0);
  expect(seen.cache).toBeGreaterThan(900);
  expect(seen).toEqual(await shares(runtime));
});

it('a call that is not safe is made at most once, however many servers are killed under it', async () => {
  const calls = join(tempDir(), 'calls');
  const env = { CALLS_FILE: calls };
  const runtime = await toolRuntime({ one: odd({ instances: 3, env, backups: ['two'] }), two: odd({ env }) });
  let refused = 0;
  await callMany(runtime, {
    count: 300,
    every: 10,
    act: () => kill(runtime, 'one'),
    make: (index) =>
      runtime.call('one.add', { mark: `m${index}` }).catch((error: { code: string; message: string }) => {
        expect(error).toMatchObject({ code: 'unavailable' });
        refused++;
      }),
  });
  const marks = notedCalls(calls).map((line) => line.split(' ')[2]);
  expect(new Set(marks).size).toBe(marks.length);
  expect(marks.length).toBeGreaterThanOrEqual(300 - refused);
});

it('primary down: a backup answers; all down: the last good answer, marked stale; none cached: one clear error in time', async () => {
  const directory = tempDir();
  const down = (name: string) => join(directory, name);
  const runtime = await toolRuntime({
    one: odd({ env: { DOWN_FILE: down('one') }, backups: ['two'] }),
    two: odd({ env: { DOWN_FILE: down('two') } }),
  });
  const { call } = runtime;
  expect((await call('one.echo', { text: 'kept' })).source).toBe('primary');

  writeFileSync(down('one'), '');
  await kill(runtime, 'one');
  const backed = await call('one.echo', { text: 'kept' });
  expect(backed).toMatchObject({ source: 'backup', instance: 'two#1', tool: 'two.echo' });
  expect(backed.attempts[0]).toMatchObject({ source: 'primary', error: expect.any(String) });

  writeFileSync(down('two'), '');
  await kill(runtime, 'two');
  const stale = await call('one.echo', { text: 'kept' }, { timeoutMs: 3_000 });
  expect(stale).toMatchObject({ source: 'cache', isStale: true, ageSeconds: expect.any(Number) });
  expect(textOf(stale)).toBe('kept');

  const startedAt = performance.now();
  const failed = call('one.echo', { text: 'never asked before' }, { timeoutMs: 3_000 });
  await expect(failed).rejects.toMatchObject({
    code: 'unavailable',
    message: /^No source answered one\.echo\. primary one.*; backup two.*; cache: nothing from the last 3600 s\.$/,
  });
  expect(performance.now() - startedAt).toBeLessThan(40_000);
  await expect(call('one.echo', { text: 'kept' }, { timeoutMs: 1_000, maxStaleSeconds: 0 })).rejects.toMatchObject({
    message: /cache: off/,
  });
});

it('a server that comes back is used again', async () => {
  const file = join(tempDir(), 'down');
  const runtime = await toolRuntime({ odd: odd({ env: { DOWN_FILE: file } }) });
  await runtime.call('odd.echo');
  writeFileSync(file, '');
  await kill(runtime, 'odd');
  await expect(runtime.call('odd.pid', {}, { timeoutMs: 2_000 })).rejects.toMatchObject({ code: 'unavailable' });
  expect(runtime.downstream.sick()).toMatchObject([{ server: 'odd' }]);
  rmSync(file);
  // A start that began before the file went still fails; the next one does not.
  await eventually('it answers again', async () => {
    const answer = await runtime.call('odd.echo', { text: 'back' }).catch(() => undefined);
    return answer !== undefined && textOf(answer) === 'back';
  });
  expect(runtime.downstream.sick()).toEqual([]);
});

it('a server that never comes up is given up after 5 tries, with an event', async () => {
  const file = join(tempDir(), 'down');
  writeFileSync(file, '');
  const runtime = await toolRuntime({ odd: odd({ env: { DOWN_FILE: file } }) });
  await expect(runtime.call('odd.echo', {}, { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'unavailable' });
  await eventually('it is given up', async () => {
    const [server] = await runtime.downstream.servers();
    return server?.instances[0]?.state === 'given_up' && server.instances[0].restarts === 5;
  });
  const row = await runtime.db.get(
    "select 1 from events where subject = 'server' and subject_id = 'odd#1' and type = 'given_up'",
  );
  expect(row).toBeDefined();
});

/** The time is what was left of that of the settings. */
const noAnswer = /^no answer within \d+ ms$/;

it('a hung instance costs its callers the timeout once; then its breaker is open and the others answer', async () => {
  const file = join(tempDir(), 'hung');
  const health = { interval: 60_000, timeout: 200 };
  const servers = { odd: odd({ timeout: 500, health, backups: ['spare'] }), spare: odd() };
  // Its breaker stays open for a time that does not pass.
  const runtime = await toolRuntime(servers, { clock: movingClock() });
  await runtime.call('odd.echo');
  await eventually('it is up', async () => (await pidsOf(runtime, 'odd')).length === 1);
  const first = await runtime.call('odd.hang_once', { file });
  expect(first.attempts[0]).toMatchObject({ instance: 'odd#1', error: noAnswer });
  expect(first).toMatchObject({ source: 'backup', instance: 'spare#1' });
  await eventually('its breaker opens', () =>
    runtime.db.get("select 1 from breakers where id = 'server:odd#1' and state = 'open'"),
  );
  const second = await runtime.call('odd.echo', { text: 'x' });
  expect(second).toMatchObject({ source: 'backup' });
  expect(second.attempts[0]?.error).toMatch(/circuit breaker is open/);
});

it('of several instances a hung one gets no calls, and another process takes its place', async () => {
  const health = { interval: 60_000, timeout: 200 };
  const runtime = await toolRuntime({ odd: odd({ instances: 3, timeout: 3_000, health }) });
  await runtime.call('odd.echo').catch(() => {});
  await eventually('all are up', async () => (await pidsOf(runtime, 'odd')).length === 3);
  const before = await pidsOf(runtime, 'odd');
  const hung = await runtime.call('odd.hang_once', { file: join(tempDir(), 'hung') });
  expect(textOf(hung)).toBe('well again');
  expect(hung.attempts[0]?.error).toMatch(noAnswer);
  for (let index = 0; index < 10; index++) {
    expect((await runtime.call('odd.echo')).attempts).toHaveLength(1);
  }
  await eventually('there are 3 again', async () => {
    const pids = await pidsOf(runtime, 'odd');
    return pids.length === 3 && pids.filter((pid) => !before.includes(pid)).length === 1;
  });
});

it('a health check finds a hung instance by two strikes, with calls under way and without ping', async () => {
  const file = join(tempDir(), 'hang');
  const env = { HANG_FILE: file, NO_PING: '1' };
  const runtime = await toolRuntime({ odd: odd({ env, health: { interval: 200, timeout: 1_000 } }) });
  const [before] = [textOf(await runtime.call('odd.pid'))];
  writeFileSync(file, '');
  const waiting = runtime
    .call('odd.add', {}, { timeoutMs: 20_000 })
    .catch((error: { message: string }) => error.message);
  expect(await waiting).toMatch(/connection was lost.*may have been carried out/);
  rmSync(file);
  await eventually('another answers', async () => {
    const outcome = await runtime.call('odd.pid', {}, { maxStaleSeconds: 0 }).catch(() => undefined);
    return outcome && textOf(outcome) !== before;
  });
});

it('instances of one server share the calls: fewest in flight, then in turn', async () => {
  const runtime = await toolRuntime({ odd: odd({ instances: 3 }) });
  await runtime.call('odd.echo');
  await eventually('all are up', async () => (await pidsOf(runtime, 'odd')).length === 3);
  const pids = new Map<string, number>();
  for (let index = 0; index < 9; index++) {
    const pid = textOf(await runtime.call('odd.pid'));
    pids.set(pid, (pids.get(pid) ?? 0) + 1);
  }
  expect([...pids.values()]).toEqual([3, 3, 3]);
  const busy = runtime.call('odd.wait', { ms: 2_000 });
  const during = await Promise.all(Array.from({ length: 4 }, () => runtime.call('odd.pid')));
  const slow = await busy;
  expect(during.filter(({ instance }) => instance === slow.instance)).toHaveLength(1);
});

it('with high urgency a late answer is overtaken by another instance; without, it is waited for', async () => {
  const calls = join(tempDir(), 'calls');
  const health = { interval: 60_000, timeout: 100 };
  const runtime = await toolRuntime({ odd: odd({ instances: 2, env: { CALLS_FILE: calls }, health }) });
  await runtime.call('odd.echo');
  await eventually('both are up', async () => (await pidsOf(runtime, 'odd')).length === 2);
  const outcome = await runtime.call('odd.hang_once', { file: join(tempDir(), 'hung') }, { urgency: 'high' });
  expect(textOf(outcome)).toBe('well again');
  expect(outcome.attempts.map(({ error }) => error)).toEqual(['overtaken', undefined]);
  await eventually('the hung one is replaced', async () => {
    const [server] = await runtime.downstream.servers();
    return server?.instances.some(({ restarts }) => restarts === 1);
  });
  await runtime.call('odd.add', { mark: 'once' }, { urgency: 'high' });
  expect(notedCalls(calls).filter((line) => line.includes('once'))).toEqual([
    'odd hang_once',
    'odd hang_once',
    'odd add once',
  ]);
});

it('unused instances are ended, whatever the wall clock says, and started again by the next call', async () => {
  const clock = movingClock();
  const runtime = await toolRuntime({ odd: odd({ idle: 60_000 }) }, { clock });
  const pid = textOf(await runtime.call('odd.pid'));
  clock.stepWallClock(3_600_000);
  await runtime.downstream.sweep();
  expect(await pidsOf(runtime, 'odd')).toEqual([Number(pid)]);
  clock.stepWallClock(-7_200_000);
  clock.pass(60_000);
  await runtime.downstream.sweep();
  expect(await pidsOf(runtime, 'odd')).toEqual([]);
  expect(textOf(await runtime.call('odd.pid'))).not.toBe(pid);
});

it('scaling is for all sessions: here at once, elsewhere at the next sweep; 0 leaves the backups', async () => {
  const runtime = await toolRuntime({ odd: odd({ backups: ['spare'] }), spare: odd() });
  const other = await toolRuntime({ odd: odd({ backups: ['spare'] }), spare: odd() }, { home: runtime.home });
  await runtime.call('odd.echo');
  await other.call('odd.echo');
  const actor = { holder: 'session:test', project: '' };
  await runtime.downstream.scale('odd', 3, actor);
  await eventually('3 are up', async () => (await pidsOf(runtime, 'odd')).length === 3);
  expect(await pidsOf(other, 'odd')).toHaveLength(1);
  await other.downstream.sweep();
  await eventually('3 are up there too', async () => (await pidsOf(other, 'odd')).length === 3);
  await runtime.downstream.scale('odd', 0, actor);
  expect(await runtime.call('odd.echo')).toMatchObject({ source: 'backup' });
  await expect(runtime.downstream.scale('stranger', 1, actor)).rejects.toMatchObject({
    code: 'not_found',
    hint: 'Its servers are: odd, spare.',
  });
});

it('an instance whose calls fail again and again is replaced by another process', async () => {
  const runtime = await toolRuntime({ odd: odd() });
  const before = textOf(await runtime.call('odd.pid'));
  for (let index = 0; index < 5; index++) await runtime.call('odd.malformed').catch(() => {});
  const row = await runtime.db.get<{ state: string }>("select state from breakers where id = 'server:odd#1'");
  expect(row?.state).toBe('open');
  await eventually('another is up', async () => {
    const [pid] = await pidsOf(runtime, 'odd');
    return pid !== undefined && String(pid) !== before;
  });
});

it('a server that is scaled down finishes the calls under way', async () => {
  const runtime = await toolRuntime({ odd: odd({ backups: ['spare'] }), spare: odd() });
  const pid = Number(textOf(await runtime.call('odd.pid')));
  const slow = runtime.call('odd.wait', { ms: 3_000 });
  await eventually(
    'it is under way',
    async () => (await runtime.downstream.servers())[0]?.instances[0]?.inFlight === 1,
  );
  await runtime.downstream.scale('odd', 0, { holder: 'session:test', project: '' });
  expect((await runtime.call('odd.echo')).attempts[0]?.error).toBe('it is scaled to 0 instances');
  expect(textOf(await slow)).toBe('waited');
  await eventually('it has ended then', () => !isAlive(pid));
});

it('a call right after its only instance was killed is answered by the next process', async () => {
  const runtime = await toolRuntime({ odd: odd() });
  await runtime.call('odd.echo');
  for (let round = 0; round < 15; round++) {
    const [pid = 0] = await pidsOf(runtime, 'odd');
    process.kill(pid, 'SIGKILL');
    expect(textOf(await runtime.call('odd.echo', { text: String(round) }))).toBe(String(round));
  }
});
