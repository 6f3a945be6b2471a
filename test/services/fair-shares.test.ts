import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { session } from '../core/jobs/queue.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const later = { run_at: '2099-01-01T00:00:00Z' };

async function submitter(limits: object = {}) {
  const config = join(tempDir(), 'config.json');
  writeFileSync(config, JSON.stringify({ limits }));
  const env = { AGENT_RUNTIME_CONFIG: config, ANTHROPIC_API_KEY: 'sk-ant-test-key-0001' };
  const runtime = await testRuntime({ env });
  return {
    call: (tool: string, input: object) => runTool(findTool(tool), { ...input }, contextOf(runtime, session)),
    shares: () =>
      runtime.db.all<object>(
        'select concurrency_key as key, concurrency_limit as "limit", unique_key as "unique" from jobs order by seq',
      ),
  };
}

it('a prompt, a job and each of several jobs have the limit of the call, else of the config file, else one', async () => {
  const { call, shares } = await submitter({ concurrency: { 'site:a.org': 4, 'site:*': 3 } });
  const job = { type: 'generic', payload: {}, ...later };
  await call('submit_background_task', { task_description: 'Hi', concurrency_key: 'gpu', ...later });
  await call('submit_job', { ...job, concurrency_key: 'site:a.org' });
  const several = [{ concurrency_key: 'site:b.org' }, { concurrency_key: 'site:b.org', concurrency_limit: 9 }, {}];
  await call('submit_jobs', { jobs: several.map((more) => ({ ...job, ...more })) });
  expect(await shares()).toEqual([
    { key: 'gpu', limit: 1, unique: null },
    { key: 'site:a.org', limit: 4, unique: null },
    { key: 'site:b.org', limit: 3, unique: null },
    { key: 'site:b.org', limit: 9, unique: null },
    { key: null, limit: null, unique: null },
  ]);
});

it('a limit without a key is refused, and nothing is submitted', async () => {
  const { call, shares } = await submitter();
  await expect(call('submit_job', { type: 'generic', payload: {}, concurrency_limit: 2 })).rejects.toThrow(
    expect.objectContaining({ code: 'invalid', hint: 'Give a concurrency_key.' }),
  );
  expect(await shares()).toEqual([]);
});

it('a unique key that is taken returns its job, and says that it is repeated; a sweep has one for each of its jobs', async () => {
  const { call, shares } = await submitter();
  const job = { type: 'generic', payload: {}, unique_key: 'nightly', ...later };
  const first = await call('submit_job', job);
  expect(await call('submit_job', { ...job, payload: { a: 1 } })).toEqual({ ...(first as object), repeated: true });
  await call('submit_jobs', { jobs: [job], grid: { a: [1, 2] } });
  expect(await shares()).toMatchObject([{ unique: 'nightly' }, { unique: 'nightly#0' }, { unique: 'nightly#1' }]);
});

it('a schedule submits with the keys of its request', async () => {
  const { call, shares } = await submitter();
  const request = { type: 'generic', payload: {}, concurrency_key: 'k', unique_key: 'u', delay_seconds: 60 };
  const { delay_seconds: _, ...repeatable } = request;
  await call('schedule', { name: 'often', kind: 'job', request: repeatable, cron: '0 9 1 1 *' });
  await call('schedule', { name: 'often', action: 'run' });
  expect(await shares()).toEqual([{ key: 'k', limit: 1, unique: 'u' }]);
});

it('a rate of a provider that does not exist is a mistake of the config file, with the name that was meant', async () => {
  await expect(submitter({ rates: { antropic: { requestsPerMinute: 5 } } })).rejects.toThrow(
    /"antropic" is the name of no provider\. Did you mean anthropic\?\s+→ at limits\.rates\.antropic, line 1/,
  );
});
