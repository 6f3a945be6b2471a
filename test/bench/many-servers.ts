import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { type Figure, withHome } from './protocol.js';
import { median } from './statistics.js';

/** The least that a server made with the SDK can be. */
const bare = { command: process.execPath, args: [join(process.cwd(), 'test', 'bench', 'bare-server.mjs')] };
const script = (code: string) => ({ command: process.execPath, args: ['-e', code], startTimeout: 500 });
const broken = {
  hangs: script('process.stdin.resume(); setInterval(() => {}, 1000)'),
  ends: script("console.error('fatal: no disk'); process.exit(1)"),
  babbles: script('setInterval(() => console.log("starting ..."), 100)'),
  gone: { command: '/nonexistent/server' },
};
const healthy = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`server-${index}`, bare]));
const called = { tool: 'server-0.echo', args: { text: 'hello' } };

const block = 200;
const rounds = 15;
/** Blocks that do not count: both ways are to be measured as they run for hours. */
const warmUps = 8;

/** Calls of a healthy server where it is the only one, and beside eleven others and four broken ones, in turns. */
export function measureManyServers(): Promise<Figure> {
  return withHome((small) =>
    withHome(async (large) => {
      const alone = await open(small, { 'server-0': bare });
      const among = await open(large, { ...healthy, ...broken });
      const times = { alone: [] as number[], among: [] as number[] };
      // Every server has been tried, so that the broken ones are being started again and again.
      for (const { downstream } of [alone, among]) await downstream.tools({});
      for (let round = -warmUps; round < rounds; round++) {
        await time(alone, round < 0 ? [] : times.alone);
        await time(among, round < 0 ? [] : times.among);
      }
      const sick = among.downstream.sick().length;
      if (sick !== Object.keys(broken).length) throw new Error(`${sick} servers are down, which is not the case meant`);
      for (const runtime of [alone, among]) runtime.close();
      const [ours, reference] = [median(times.among), median(times.alone)];
      return {
        what: '16 servers configured, 4 of them broken: call_tool of a healthy one, p50, against one configured',
        ours: `${ours.toFixed(3)} ms`,
        reference: `${reference.toFixed(3)} ms`,
        ratio: ours / reference,
        aim: '<= 1.2',
      };
    }),
  );
}

function open(home: string, mcpServers: object): Promise<Runtime> {
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const config = readConfig({}, { HOME: home, PATH: process.env.PATH });
  return openRuntime({ config, log: silentLog });
}

async function time({ downstream }: Runtime, into: number[]): Promise<void> {
  for (let index = 0; index < block; index++) {
    const startedAt = performance.now();
    await downstream.call({ ...called, signal: new AbortController().signal });
    into.push(performance.now() - startedAt);
  }
}
