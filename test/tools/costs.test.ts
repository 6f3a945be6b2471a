import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readMoney, spend } from '../../src/core/budget/ledger.js';
import type { Runtime } from '../../src/runtime.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { session } from '../core/jobs/queue.js';
import { startOpenAiServer } from '../fixtures/models/openai-server.js';
import { inProcess } from '../runner/fixtures/in-process.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

type Shown = Record<string, unknown>;
const caller = (runtime: Runtime) => async (name: string, input: object) =>
  (await runTool(findTool(name), input, contextOf(runtime, session))) as Shown;

it('a goal shows its budget in dollars, what it has cost, and how many calls are not in that', async () => {
  const runtime = await testRuntime();
  const call = caller(runtime);
  const { id, tokens } = await call('create_goal', { name: 'Ship', description: 'It', budget_usd: 2.5 });
  expect(tokens).toMatchObject({ budget: null, budget_usd: 2.5, reserved_usd: 0 });
  expect(tokens).not.toHaveProperty('cost_usd');
  await spend(runtime.db, `goal:${id}`, 100, 1, { micros: 1_500_000, unpriced: 0 });
  await spend(runtime.db, `goal:${id}`, 10, 1);
  expect((await call('get_goal', { goal_id: id })).tokens).toMatchObject({ cost_usd: 1.5, unpriced_calls: 1 });
  await call('update_goal', { goal_id: id, budget_usd: null });
  expect(await readMoney(runtime.db, `goal:${id}`)).toMatchObject({ cap: null, spent: 1_500_000 });
});

it('a goal whose money is spent is not run', async () => {
  const runtime = await testRuntime({ env: { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001' } });
  const call = caller(runtime);
  const { id } = await call('create_goal', { name: 'Ship', description: 'It' });
  await call('create_task', { title: 'Do it', goal_id: id });
  await spend(runtime.db, `goal:${id}`, 100, 1, { micros: 20_000, unpriced: 0 });
  await expect(call('run_goal', { goal_id: id, budget_usd: 0.02 })).rejects.toMatchObject({
    code: 'budget_exhausted',
    hint: expect.stringContaining('higher budget_usd'),
  });
});

it('a relay has a budget in dollars, too, and is not run when it is spent', async () => {
  const runtime = await testRuntime({ env: { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001' } });
  const call = caller(runtime);
  const pipeline = { name: 'R', goal: 'G', agent_types: ['researcher'] };
  const { pipeline_id } = (await call('create_relay_pipeline', pipeline)) as { pipeline_id: string };
  await spend(runtime.db, `relay:${pipeline_id}`, 100, 1, { micros: 20_000, unpriced: 0 });
  await expect(call('run_relay', { pipeline_id, budget_usd: 0.02 })).rejects.toMatchObject({
    code: 'budget_exhausted',
    message: expect.stringContaining('$0.0200 spent'),
  });
});

it('a job tells its cost in its status; the tokens of a server that does not count are estimated, its cost unknown', async () => {
  const server = await startOpenAiServer({ saysUsage: false });
  onTestFinished(() => server.close());
  const path = join(tempDir(), 'config.json');
  writeFileSync(path, JSON.stringify({ providers: { local: { kind: 'openai', baseUrl: server.url } } }));
  const runtime = await inProcess({ AGENT_RUNTIME_CONFIG: path });
  const call = caller(runtime);
  const unknown = await runtime.ask('Hello', { model: 'local:m' });
  await runtime.tryOnce(unknown);
  const shown = await call('check_task_status', { task_id: unknown });
  expect(shown).toMatchObject({ status: 'completed', cost_usd: null, unpriced_calls: 1 });
  expect(shown.output_tokens).toBeGreaterThan(0);
  expect(JSON.stringify(shown.warnings)).toContain('estimated');

  const known = await runtime.ask('Hello', { model: 'sonnet' });
  const { cost } = await runtime.tryOnce(known);
  expect((await call('check_task_status', { task_id: known })).cost_usd).toBe(cost.micros / 1e6);
  const metrics = await call('get_metrics', {});
  expect(metrics.cost).toEqual({ cost_usd: cost.micros / 1e6, unpriced_calls: 1 });
});
