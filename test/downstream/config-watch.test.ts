import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { odd, type ToolRuntime, textOf, toolRuntime } from './tool-runtime.js';

/** Writes the config file anew, and lets the time pass in which a change may go unnoticed. */
async function configure({ home }: ToolRuntime, text: string): Promise<void> {
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), text);
  await sleep(600);
}

it('a server that is added, changed or removed in the config file is so in the sessions that live', async () => {
  const runtime = await toolRuntime({ kept: odd(), changed: odd(), removed: odd() });
  const pidOf = async (server: string) => Number(textOf(await runtime.call(`${server}.pid`)));
  const [kept, changed, removed] = [await pidOf('kept'), await pidOf('changed'), await pidOf('removed')];
  const servers = { added: odd(), changed: odd({ env: { QUICK: '1' } }), kept: odd() };
  await configure(runtime, JSON.stringify({ mcpServers: servers }));
  expect(await pidOf('kept')).toBe(kept);
  expect(await pidOf('changed')).not.toBe(changed);
  expect(textOf(await runtime.call('added.echo', { text: 'new' }))).toBe('new');
  await expect(runtime.call('removed.echo')).rejects.toMatchObject({ code: 'not_found' });
  await eventually('those of before have ended', () => !isAlive(changed) && !isAlive(removed));
  expect((await runtime.downstream.servers()).map(({ server }) => server)).toEqual(['added', 'changed', 'kept']);
});

it('a call under way on a server that is removed is finished', async () => {
  const runtime = await toolRuntime({ one: odd(), two: odd() });
  await runtime.call('one.echo');
  const slow = runtime.call('one.wait', { ms: 1_200 });
  await configure(runtime, JSON.stringify({ mcpServers: { two: odd() } }));
  await runtime.call('two.echo');
  expect(textOf(await slow)).toBe('waited');
});

it('a file that is broken leaves the servers as they were, and is named until it is well again', async () => {
  const runtime = await toolRuntime({ one: odd() });
  await configure(runtime, '{"mcpServers": {');
  expect(textOf(await runtime.call('one.echo', { text: 'still here' }))).toBe('still here');
  expect(runtime.downstream.sick()).toMatchObject([
    { server: /agent_runtime\.json$/, problem: /as it was before: .*not JSON/ },
  ]);
  await configure(runtime, JSON.stringify({ mcpServers: { one: odd() } }));
  await runtime.call('one.echo');
  expect(runtime.downstream.sick()).toEqual([]);
});

it('a wrong entry is left out and named, and a call of it says why; one that is switched off likewise', async () => {
  const entries = {
    good: odd(),
    wrong: { type: 'carrier-pigeon', url: 'http://x' },
    off: { ...odd(), disabled: true },
  };
  const { call, downstream } = await toolRuntime(entries as unknown as Parameters<typeof toolRuntime>[0]);
  expect(textOf(await call('good.echo', { text: 'well' }))).toBe('well');
  await expect(call('wrong.echo')).rejects.toMatchObject({
    code: 'not_configured',
    message: /wrong is left out: .*mcpServers\.wrong\.type/,
  });
  await expect(call('off.echo')).rejects.toMatchObject({ code: 'not_configured', message: /off is switched off/ });
  expect(downstream.sick()).toMatchObject([{ server: 'wrong', problem: /left out of the config file/ }]);
  expect(await downstream.servers()).toMatchObject([
    { server: 'good', health: 'up' },
    { server: 'wrong', health: 'off', problem: /mcpServers\.wrong\.type/ },
    { server: 'off', health: 'off' },
  ]);
});
