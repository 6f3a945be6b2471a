import { expect, it } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

it('submitting to a provider whose breaker is open says so, and resetting the breaker starts what waited', async () => {
  const model = await startAnthropicServer();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: model.url };
  const server = await connectServer({ home: tempDir(), env });
  await server.ok('circuit_breaker_trip', { agent_id: 'llm:anthropic' });
  const { data, text } = await server.call('submit_background_task', { task_description: 'Say hello.' });
  expect(data.warnings).toEqual([
    expect.stringMatching(/^The breaker llm:anthropic is open\. It is tried after 20.*circuit_breaker_reset/),
  ]);
  expect(text).toContain('Warning: The breaker llm:anthropic is open.');

  const { task_id } = data;
  const check = () => server.ok('check_task_status', { task_id });
  await eventually('it is postponed', async () => (await check()).next_attempt_at !== undefined);
  await server.ok('circuit_breaker_reset', { agent_id: 'llm:anthropic' });
  await server.ok('wait_for_tasks', { task_ids: [task_id], timeout_seconds: 20 });
  const ended = await check();
  expect(ended.status).toBe('completed');
  expect(ended.warnings).toBeUndefined();
  await model.close();
});

it('runs of goals and of relays say that they wait for an open breaker', async () => {
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
  const server = await connectServer({ home: tempDir(), env });
  await server.ok('circuit_breaker_trip', { agent_id: 'llm:anthropic' });
  const waiting = [expect.stringContaining('The breaker llm:anthropic is open. It is tried after 20')];
  const goal = await server.ok('create_goal', { name: 'G', description: 'D' });
  await server.ok('create_task', { title: 'T', goal_id: goal.id });
  const run = await server.ok('run_goal', { goal_id: goal.id });
  expect(run.warnings).toEqual(waiting);
  const { pipeline_id } = await server.ok('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
  expect((await server.ok('run_relay', { pipeline_id })).warnings).toEqual(waiting);
  await server.ok('cancel_task', { task_id: run.run_id });
  await server.ok('cancel_relay_pipeline', { pipeline_id });
});
