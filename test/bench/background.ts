import { setTimeout as sleep } from 'node:timers/promises';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { type Figure, withHome } from './protocol.js';
import { startMeasured } from './server-process.js';
import { median } from './statistics.js';

const rounds = 15;

/** From the call to its answer, and to the first request that the provider sees from the new process. */
export async function measureBackground(): Promise<Figure[]> {
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
