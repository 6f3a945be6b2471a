import { readFileSync } from 'node:fs';
import { keepApart, letGo } from './pin.js';
import { fillBoard, withHome } from './protocol.js';
import { type Call, type MeasuredServer, startMeasured, timeInTurns } from './server-process.js';
import { median } from './statistics.js';

const before = 'node_modules/.cache/before/main.js';
const after = 'dist/main.js';
const bare = 'test/bench/bare-server.mjs';
const cpu = (pid: number) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(f[11]) + Number(f[12])) * 10;
};
const what = process.argv[2] ?? 'both';
if (what !== 'calls') {
  const t: Record<string, number[]> = { bare: [], before: [], after: [] };
  const c: Record<string, number[]> = { bare: [], before: [], after: [] };
  for (let i = 0; i < 25; i++)
    for (const [name, script] of [
      ['bare', bare],
      ['before', before],
      ['after', after],
    ] as const)
      await withHome(async (home) => {
        const s = await startMeasured(script, { HOME: process.env.PART_HOME ?? home });
        if (name === 'bare') await s.request('tools/list', {});
        else await s.request('tools/list', {});
        t[name]!.push(s.startMs);
        c[name]!.push(cpu(s.pid));
        await s.stop();
      });
  for (const n of Object.keys(t))
    console.log(
      'start',
      n,
      median(t[n]!).toFixed(1),
      'ms',
      (median(t[n]!) / median(t.bare!)).toFixed(2),
      'cpu to list',
      median(c[n]!).toFixed(0),
    );
}
if (what !== 'start') {
  const calls = Number(process.argv[3] ?? 3000);
  await withHome((h1) =>
    withHome(async (h2) => {
      await fillBoard(h1, 100);
      await fillBoard(h2, 100);
      const reference = await startMeasured(bare, {});
      const s1 = await startMeasured(before, { HOME: h1 });
      const s2 = await startMeasured(after, { HOME: h2 });
      for (const { pid } of [reference, s1, s2]) keepApart(pid);
      const callsOf = (p: string, s: MeasuredServer): Record<string, Call> => ({
        [`${p} get`]: (i) => s.call('get_task', { task_id: 1 + (i % 100) }),
        [`${p} create`]: (i) => s.call('create_task', { title: `New task ${i}`, priority: 5 }),
        [`${p} claim`]: () => s.call('claim_next_task', {}),
      });
      const echo: Call = (i) => reference.request('tools/call', { name: 'echo', arguments: { text: `text ${i}` } });
      const times = await timeInTurns({ echo, ...callsOf('before', s1), ...callsOf('after', s2) }, calls);
      const base = median(times.echo!);
      for (const [n, v] of Object.entries(times))
        console.log(n.padEnd(14), median(v).toFixed(4), (median(v) / base).toFixed(2));
      for (const s of [reference, s1, s2]) await s.stop();
      letGo();
    }),
  );
}
