import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDriver } from '../../src/store/sqlite/driver.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { type Figure, withHome } from './protocol.js';
import { startMeasured } from './server-process.js';
import { median } from './statistics.js';

const rounds = 15;
const prompts = 100;
const promptsAtOnce = 20;

export async function measureBackground(): Promise<Figure[]> {
  return [...(await measureLatency()), ...(await measureManyCalls())];
}

/** Prompts that take a second each, many at once; the memory is that of the runners together, where it was greatest. */
async function measureManyCalls(): Promise<Figure[]> {
  const provider = await startAnthropicServer();
  const submits: number[] = [];
  let mostMb = 0;
  let seconds = 0;
  await withHome(async (home) => {
    const server = await startMeasured('dist/main.js', {
      HOME: home,
      ANTHROPIC_API_KEY: 'sk-ant-bench-key-0123456789',
      ANTHROPIC_BASE_URL: provider.url,
      AGENT_RUNTIME_MAX_MODEL_CALLS: String(promptsAtOnce),
    });
    await server.call('runtime_status', {});
    const { connect } = await loadDriver();
    const database = connect(`${home}/.claude/agent_runtime.db`, { readonly: true });
    const pids = database.prepare("select pid from runners where state in ('running', 'waiting')");
    const watch = setInterval(() => {
      const running = (pids.all() as { pid: number }[]).map(({ pid }) => pssMb(pid));
      mostMb = Math.max(
        mostMb,
        running.reduce((sum, mb) => sum + mb, 0),
      );
    }, 250);
    const startedAt = performance.now();
    const ids: unknown[] = [];
    for (let prompt = 0; prompt < prompts; prompt++) {
      const askedAt = performance.now();
      const task_description = `Number ${prompt} [[model {"latencyMs":1000}]]`;
      ids.push((await server.call('submit_background_task', { task_description })).task_id);
      submits.push(performance.now() - askedAt);
      // As fast as they can be carried, so that the last are submitted while the first run.
      if (prompt >= promptsAtOnce) await sleep(15);
    }
    for (const task_id of ids) await server.call('wait_for_tasks', { task_ids: [task_id], timeout_seconds: 20 });
    seconds = (performance.now() - startedAt) / 1_000;
    clearInterval(watch);
    database.close();
    await server.stop();
  });
  await provider.close();
  const ideal = prompts / promptsAtOnce;
  const what = `${prompts} prompts of 1 s, ${promptsAtOnce} at once`;
  return [
    { what, ours: `${seconds.toFixed(1)} s`, reference: `${ideal} s`, ratio: seconds / ideal, aim: '<= 1.3' },
    {
      what: `${what}: memory of the runners together (PSS)`,
      ours: `${mostMb.toFixed(0)} MB`,
      reference: '',
      ratio: undefined,
      aim: '<= 150 MB',
    },
    {
      what: `${what}: submit p50 meanwhile`,
      ours: `${median(submits).toFixed(1)} ms`,
      reference: '',
      ratio: undefined,
      aim: '<= 6 ms',
    },
  ];
}

/** The share of memory that is a process's own. */
function pssMb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
  } catch {
    return 0;
  }
}

/** From the call to its answer, and to the first request that the provider sees from the new process. */
async function measureLatency(): Promise<Figure[]> {
  const provider = await startAnthropicServer();
  const submit: number[] = [];
  const reach: number[] = [];
  await withHome(async (home) => {
    const server = await startMeasured('dist/main.js', {
      HOME: home,
      ANTHROPIC_API_KEY: 'sk-ant-bench-key-0123456789',
      ANTHROPIC_BASE_URL: provider.url,
    });
    await server.call('runtime_status', {});
    for (let round = 0; round < rounds; round++) {
      const seen = provider.requests.length;
      const startedAt = performance.now();
      const { task_id } = await server.call('submit_background_task', { task_description: `Say hello ${round}` });
      submit.push(performance.now() - startedAt);
      while (provider.requests.length === seen) await sleep(1);
      reach.push(performance.now() - startedAt);
      await server.call('wait_for_tasks', { task_ids: [task_id], timeout_seconds: 20 });
      // The runner signs off before the next task, so that each starts one of its own.
      await sleep(150);
    }
    await server.stop();
  });
  await provider.close();
  const [, ...laterSubmits] = submit;
  return [
    {
      what: 'submit_background_task p50',
      ours: `${median(laterSubmits).toFixed(1)} ms`,
      reference: '',
      ratio: undefined,
      aim: '<= 10 ms',
    },
    {
      what: "submit to the provider's first request, p50",
      ours: `${median(reach).toFixed(0)} ms`,
      reference: '',
      ratio: undefined,
      aim: '<= 400 ms',
    },
  ];
}
