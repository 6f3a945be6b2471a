import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { measureBacktest } from '../agents/backtest/measure-backtest.js';
import { measureEpoch } from '../agents/ml-experiment/measure-epoch.js';
import { jobStoreOf } from '../support/job-store.js';
import { keepApart, letGo } from './pin.js';
import { type Figure, ratioOf, withHome } from './protocol.js';
import { startMeasured, timeInTurns } from './server-process.js';
import { median } from './statistics.js';

const run = promisify(execFile);
const noops = 10_000;
const submittedAtOnce = 500;
const rounds = 5;
const nobody = { holder: null, project: '' };

/** The queue drained, the agents that compute, and the queue read while it is long. */
export async function measureJobs(): Promise<Figure[]> {
  return [...(await measureDrains()), ...(await measureAgents()), ...(await measureLongQueue())];
}

const teams = [1, 4] as const;

/** Jobs that do nothing, from the first one's start to the last one's end; the best round of each, in turns. */
export async function measureDrains(): Promise<Figure[]> {
  const ours = { 1: 0, 4: 0 };
  const plain = { 1: 0, 4: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const runners of teams) {
      plain[runners] = Math.max(plain[runners], await withHome((home) => drainPlainjob(home, runners)));
      ours[runners] = Math.max(ours[runners], await withHome((home) => drainOurs(home, runners)));
    }
  }
  const shown = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
  const figures: Figure[] = teams.map((runners) => ({
    what: `no-op jobs drained by ${runners === 1 ? 'one runner' : `up to ${runners} runners`}, each outcome synced to disk, against plainjob, which syncs none`,
    ours: shown(ours[runners]),
    reference: shown(plain[runners]),
    ratio: ours[runners] / plain[runners],
    aim: runners === 1 ? '5,000/s' : '',
  }));
  const what = 'no-op jobs drained where four runners may work, against one';
  return [...figures, { what, ours: shown(ours[4]), reference: shown(ours[1]), ratio: ours[4] / ours[1], aim: '>= 1' }];
}

async function drainOurs(home: string, runners: number): Promise<number> {
  const env = { AGENT_RUNTIME_MAX_MODEL_CALLS: String(runners * 16) };
  return withRuntime(home, env, async (runtime) => {
    const { db } = runtime;
    const store = jobStoreOf(runtime);
    const permits: string[] = [];
    for (let first = 0; first < noops; first += submittedAtOnce) {
      const jobs = Array.from({ length: submittedAtOnce }, (_, job) => ({
        type: 'generic',
        payload: { job: first + job },
      }));
      permits.push(...(await store.submitAll(jobs, nobody)).runnerIds);
    }
    const options = { env: { HOME: home, PATH: process.env.PATH, AGENT_RUNTIME_LOG_LEVEL: 'error', ...env } };
    await Promise.all(permits.map((id) => run(process.execPath, ['dist/job-runner.js', id], options)));
    // A runner starts the next one itself where it finds that it is not enough.
    const live = () => db.get("select 1 from runners where state in ('starting', 'running', 'waiting')");
    while (await live()) await sleep(20);
    const row = await db.get<{ done: number; ms: number }>(
      "select count(*) as done, max(completed_at) - min(started_at) as ms from jobs where status = 'completed'",
    );
    if (row?.done !== noops) throw new Error(`Only ${row?.done} jobs were done.`);
    return (noops * 1_000) / row.ms;
  });
}

async function drainPlainjob(home: string, workers: number): Promise<number> {
  const worker = await buildWorker();
  const file = `${home}/plainjob.db`;
  await run(process.execPath, [worker, file, String(noops)]);
  const ends = await Promise.all(Array.from({ length: workers }, () => run(process.execPath, [worker, file])));
  const times = ends.map(({ stdout }) => JSON.parse(stdout) as { first: number | null; last: number });
  const first = Math.min(...times.flatMap((time) => time.first ?? []));
  return (noops * 1_000) / (Math.max(...times.map(({ last }) => last)) - first);
}

async function buildWorker(): Promise<string> {
  const outfile = 'node_modules/.cache/plainjob-worker.mjs';
  const form = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
  await build({ ...form, entryPoints: ['test/bench/plainjob-worker.ts'], outfile });
  return outfile;
}

async function measureAgents(): Promise<Figure[]> {
  const epoch = measureEpoch('neural');
  const backtest = await measureBacktest('momentum');
  return [
    {
      what: 'one epoch of a 784-64-10 network over 5,000 rows, against the bare loops measured before',
      ours: `${epoch.toFixed(2)} s`,
      reference: '0.51 s',
      ratio: epoch / 0.51,
      aim: '',
    },
    {
      what: 'backtest of ten years of days, file to result',
      ours: `${backtest.toFixed(0)} ms`,
      reference: '',
      ratio: undefined,
      aim: '',
    },
  ];
}

/** The same calls with ten jobs waiting and with ten thousand, in turns. */
async function measureLongQueue(): Promise<Figure[]> {
  return withHome((short) =>
    withHome(async (long) => {
      const ids = [await fillQueue(short, 10), await fillQueue(long, 10_000)] as const;
      const servers = [
        await startMeasured('dist/main.js', { HOME: short }),
        await startMeasured('dist/main.js', { HOME: long }),
      ] as const;
      for (const { pid } of servers) keepApart(pid);
      const status = (of: 0 | 1) => (index: number) =>
        servers[of].call('get_job_status', { job_id: ids[of][index % ids[of].length] });
      const times = await timeInTurns(
        {
          'short list_jobs': () => servers[0].call('list_jobs', { limit: 10 }),
          'long list_jobs': () => servers[1].call('list_jobs', { limit: 10 }),
          'short get_job_status': status(0),
          'long get_job_status': status(1),
        },
        2_000,
      );
      for (const server of servers) await server.stop();
      letGo();
      return ['list_jobs', 'get_job_status'].map((name) =>
        ratioOf(
          `${name} p50, 10,000 jobs queued against 10`,
          median(times[`long ${name}`] ?? []),
          median(times[`short ${name}`] ?? []),
          '1.3',
          'ms',
        ),
      );
    }),
  );
}

/** Jobs of tomorrow, so that nothing starts; resolves to their ids. */
async function fillQueue(home: string, size: number): Promise<string[]> {
  return withRuntime(home, {}, async ({ jobs, clock }) => {
    const runAt = clock.now() + 86_400_000;
    const ids: string[] = [];
    for (let job = 0; job < size; job++) {
      ids.push((await jobs.submit({ type: 'generic', payload: { job }, runAt }, nobody)).job.id);
    }
    return ids;
  });
}

async function withRuntime<Result>(
  home: string,
  env: Record<string, string>,
  body: (runtime: Runtime) => Promise<Result>,
): Promise<Result> {
  const config = readConfig({}, { HOME: home, PATH: process.env.PATH, ...env });
  const runtime = await openRuntime({ config, log: silentLog, runnerEntry: resolve('dist/job-runner.js') });
  try {
    return await body(runtime);
  } finally {
    runtime.close();
  }
}
