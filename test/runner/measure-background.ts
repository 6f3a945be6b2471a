/**
 * What background work costs on this machine: node .config/run.mjs test/runner/measure-background.ts
 * Needs a built dist/.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { submitLlmJob } from '../../src/services/model-request.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';

const session = { holder: 'session:measure', project: '' };
const runnerEntry = join(process.cwd(), process.env.RUNNER_ENTRY ?? 'dist/job-runner.js');

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const round = (value: number): number => Math.round(value * 100) / 100;

const server = await startAnthropicServer();

async function withRuntime(env: Record<string, string>, work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'measure-background-'));
  const config = readConfig(
    {},
    { HOME: home, PATH: '/usr/bin:/bin', ANTHROPIC_API_KEY: 'k'.repeat(20), ANTHROPIC_BASE_URL: server.url, ...env },
  );
  const runtime = await openRuntime({ config, log: silentLog, runnerEntry });
  await work(runtime);
  await idle(runtime);
  runtime.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

async function idle({ db }: Runtime): Promise<void> {
  while (await db.get("select 1 from runners where state in ('starting', 'running', 'waiting')")) await sleep(5);
}

const results: Record<string, unknown> = {};

await withRuntime({}, async (runtime) => {
  const submits: number[] = [];
  const firstRequests: number[] = [];
  for (let count = 0; count < 11; count++) {
    const before = server.requests.length;
    const startedAt = performance.now();
    await submitLlmJob({ task_description: `Number ${count}` }, session, runtime);
    submits.push(performance.now() - startedAt);
    while (server.requests.length === before) await sleep(1);
    firstRequests.push(performance.now() - startedAt);
    await idle(runtime);
  }
  results['submit that starts a runner, p50 ms'] = round(median(submits.slice(1)));
  results['submit to first request, p50 ms'] = round(median(firstRequests.slice(1)));
});

await withRuntime({ AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' }, async (runtime) => {
  const submits: number[] = [];
  for (let count = 0; count < 200; count++) {
    const startedAt = performance.now();
    await submitLlmJob({ task_description: `Number ${count}` }, session, runtime);
    submits.push(performance.now() - startedAt);
  }
  results['submit with the runners at work, p50 ms'] = round(median(submits));
});

for (const runners of [1, 4]) {
  await withRuntime({ AGENT_RUNTIME_MAX_RUNNING_JOBS: String(runners) }, async (runtime) => {
    const count = 2_000;
    await runtime.db.transaction(async (sql) => {
      for (let number = 0; number < count; number++) {
        await sql.run(
          `insert into jobs (id, type, payload, run_at, timeout_seconds, max_attempts, created_at, updated_at)
           values (?, 'generic', '{}', 0, 60, 3, 0, 0)`,
          `job-${number}`,
        );
      }
    });
    await runtime.jobs.sweep(session);
    await idle(runtime);
    const span = await runtime.db.get<{ from: number; to: number }>(
      'select min(started_at) as "from", max(completed_at) as "to" from jobs where status = \'completed\'',
    );
    const seconds = ((span?.to ?? 0) - (span?.from ?? 0)) / 1000;
    results[`no-op jobs a second, ${runners} runner${runners > 1 ? 's' : ''}`] = Math.round(count / seconds);
  });
}

await server.close();
process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
