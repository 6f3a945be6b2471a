import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { JsonObject } from '../../src/base/json.js';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { type Figure, withHome } from './protocol.js';
import { median } from './statistics.js';

const odd = join(process.cwd(), 'test', 'fixtures', 'servers', 'odd-server.mjs');
/** The least that a server made with the SDK can be. */
const bare = join(process.cwd(), 'test', 'bench', 'bare-server.mjs');
const block = 200;
const rounds = 15;
/** Blocks that do not count: both ways are to be measured as they run for hours. */
const warmUps = 8;

/** A pool's calls beside those of the SDK's own client to the same server, in turns, so that both meet the same machine. */
export async function measureToolCalls(): Promise<Figure[]> {
  const figures: Figure[] = [];
  await withHome(async (home) => {
    const runtime = await openPool(home);
    const client = new Client({ name: 'bench', version: '1' });
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [bare], stderr: 'ignore' }));
    figures.push(await comparePaths(runtime, client));
    await client.close();
    figures.push(...(await compareInstances(runtime)));
    runtime.close();
  });
  return figures;
}

async function openPool(home: string): Promise<Runtime> {
  mkdirSync(join(home, '.claude'), { recursive: true });
  const mcpServers = {
    odd: { command: process.execPath, args: [odd] },
    bare: { command: process.execPath, args: [bare] },
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const config = readConfig({}, { HOME: home, PATH: process.env.PATH });
  return openRuntime({ config, log: silentLog });
}

async function call({ downstream }: Runtime, tool: string, args: JsonObject): Promise<void> {
  await downstream.call({ tool, args, signal: new AbortController().signal });
}

async function comparePaths(runtime: Runtime, client: Client): Promise<Figure> {
  const pooled: number[] = [];
  const direct: number[] = [];
  const time = async (into: number[], ask: () => Promise<unknown>) => {
    for (let index = 0; index < block; index++) {
      const startedAt = performance.now();
      await ask();
      into.push(performance.now() - startedAt);
    }
  };
  for (let round = -warmUps; round < rounds; round++) {
    await time(round < 0 ? [] : direct, () => client.callTool({ name: 'echo', arguments: { text: 'hello' } }));
    await time(round < 0 ? [] : pooled, () => call(runtime, 'bare.echo', { text: 'hello' }));
  }
  const [ours, reference] = [median(pooled), median(direct)];
  return {
    what: 'a call through a pool of one, p50, against the SDK client',
    ours: `${ours.toFixed(2)} ms`,
    reference: `${reference.toFixed(2)} ms`,
    ratio: ours / reference,
    aim: '<= 1.6',
  };
}

async function compareInstances(runtime: Runtime): Promise<Figure[]> {
  const actor = { holder: 'session:bench', project: '' };
  const rate = async (): Promise<number> => {
    const startedAt = performance.now();
    const count = 320;
    let next = 0;
    const work = async () => {
      while (next++ < count) await call(runtime, 'odd.block', { ms: 20 });
    };
    await Promise.all(Array.from({ length: 16 }, work));
    return (count * 1_000) / (performance.now() - startedAt);
  };
  const scaleTo = async (instances: number) => {
    await runtime.downstream.scale('odd', instances, actor);
    for (;;) {
      const view = (await runtime.downstream.servers()).find(({ server }) => server === 'odd');
      if (view?.instances.every(({ state }) => state === 'ready')) return;
      await sleep(10);
    }
  };
  const one = await rate();
  await scaleTo(3);
  const three = await rate();
  const before = process.memoryUsage().rss;
  await scaleTo(8);
  const added = (process.memoryUsage().rss - before) / 5 / 1024;
  return [
    {
      what: 'calls/s of a tool that keeps its server for 20 ms, 16 in flight, 3 instances against 1',
      ours: three.toFixed(0),
      reference: one.toFixed(0),
      ratio: three / one,
      aim: '>= 2',
    },
    {
      what: 'memory (RSS) of ours an added instance',
      ours: `${added.toFixed(0)} kB`,
      reference: '',
      ratio: undefined,
      aim: '',
    },
  ];
}
