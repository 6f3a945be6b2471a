import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { type Figure, withHome } from './protocol.js';
import { median } from './statistics.js';

const bare = join(process.cwd(), 'test', 'bench', 'bare-server.mjs');
const block = 200;
const rounds = 15;
const warmUps = 8;
const starts = 10;

/** Calls and first calls of a server that sessions share, beside those of a session's own, in turns. */
export async function measureSharedCalls(): Promise<Figure[]> {
  return withHome(async (home) => {
    mkdirSync(join(home, '.claude'), { recursive: true });
    const entry = { command: process.execPath, args: [bare] };
    const mcpServers = { own: entry, kept: { ...entry, shared: true, idle: 1_000 } };
    writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));

    const runtime = await openSession(home);
    const keeperMs = await timed(runtime, 'kept');
    const calls = await compareCalls(runtime);
    const first: Record<'own' | 'kept', number[]> = { own: [], kept: [] };
    for (let turn = 0; turn < starts; turn++) {
      for (const server of ['own', 'kept'] as const) {
        const session = await openSession(home);
        first[server].push(await timed(session, server));
        session.close();
      }
    }
    runtime.close();
    const [own, kept] = [median(first.own), median(first.kept)];
    return [
      calls,
      {
        what: 'first call of a session to a shared server that runs, against one of its own',
        ours: `${kept.toFixed(0)} ms`,
        reference: `${own.toFixed(0)} ms`,
        ratio: kept / own,
        aim: '<= 1',
      },
      {
        what: 'the same where the keeper starts too, once',
        ours: `${keeperMs.toFixed(0)} ms`,
        reference: `${own.toFixed(0)} ms`,
        ratio: keeperMs / own,
        aim: '',
      },
    ];
  });
}

function openSession(home: string): Promise<Runtime> {
  const config = readConfig({}, { HOME: home, PATH: process.env.PATH });
  return openRuntime({ config, log: silentLog, runnerEntry: join(process.cwd(), 'dist', 'job-runner.js') });
}

/** One call, in milliseconds. */
async function timed({ downstream }: Runtime, server: string): Promise<number> {
  const startedAt = performance.now();
  await downstream.call({ tool: `${server}.echo`, args: { text: 'hello' }, signal: new AbortController().signal });
  return performance.now() - startedAt;
}

async function compareCalls(runtime: Runtime): Promise<Figure> {
  const times: Record<'own' | 'kept', number[]> = { own: [], kept: [] };
  for (let round = -warmUps; round < rounds; round++) {
    for (const server of ['own', 'kept'] as const) {
      for (let index = 0; index < block; index++) {
        const ms = await timed(runtime, server);
        if (round >= 0) times[server].push(ms);
      }
    }
  }
  const [own, kept] = [median(times.own), median(times.kept)];
  return {
    what: 'a call of a shared server, p50, against one of its own',
    ours: `${kept.toFixed(2)} ms`,
    reference: `${own.toFixed(2)} ms`,
    ratio: kept / own,
    aim: '<= 2',
  };
}
