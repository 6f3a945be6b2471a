import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { odd, toolRuntime } from '../tool-runtime.js';

it('the figures of a server and its instances are for Prometheus too, and never fall', async () => {
  const gone = { command: '/nonexistent/server' };
  const runtime = await toolRuntime({ odd: odd({ instances: 2 }), gone });
  for (let index = 0; index < 4; index++) await runtime.call('odd.echo', { text: 'x' });
  await runtime.call('odd.refuse');
  await runtime.call('odd.block', { ms: 600 });
  await runtime.call('gone.x').catch(() => {});
  await runtime.call('web_search', { query: 'x' }).catch(() => {});
  await runtime.downstream.stats({ sinceMs: 60_000 });
  const lines = (await runtime.metrics.prometheus()).split('\n').filter((line) => line.includes('tool_server_'));
  const figure = (name: string, labels: string) =>
    Number(
      lines
        .find((line) => line.startsWith(`agent_runtime_${name}{${labels}}`))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  const ofBoth = (name: string, more = '') =>
    ['1', '2'].reduce((sum, number) => sum + figure(name, `server="odd",instance="${number}"${more}`), 0);
  expect(ofBoth('tool_server_calls_total', ',status="ok"')).toBe(5);
  expect(ofBoth('tool_server_calls_total', ',status="error"')).toBe(1);
  expect(ofBoth('tool_server_call_seconds_count')).toBe(6);
  expect(ofBoth('tool_server_call_seconds_sum')).toBeGreaterThan(0.6);
  expect(ofBoth('tool_server_call_seconds_bucket', ',le="30"')).toBe(6);
  expect(ofBoth('tool_server_call_seconds_bucket', ',le="0.25"')).toBeLessThan(6);
  expect(lines.filter((line) => line.includes('native') || line.includes('web_search'))).toEqual([]);
  await runtime.db.run('delete from tool_calls');
  await runtime.call('odd.echo');
  await eventually('it is counted', async () => (await runtime.metrics.prometheus()).match(/odd.*status="ok"\} [1-9]/));
  expect(await runtime.metrics.prometheus()).toContain('# TYPE agent_runtime_tool_server_call_seconds histogram');
});

it('the times of an instance are those of all its calls, not of its slowest tool', async () => {
  const { call, downstream } = await toolRuntime({ odd: odd() });
  await call('odd.block', { ms: 1_500 });
  for (let index = 0; index < 16; index++) await call('odd.pid');
  const [server] = await downstream.servers();
  const [instance] = server?.instances ?? [];
  expect(instance?.calls).toBe(17);
  expect(instance?.p50Ms).toBeLessThan(1_000);
});
