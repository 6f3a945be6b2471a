import { expect, it } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const key = 'sk-ant-survival-0123456789';

it('a background task completes after its server was killed with SIGKILL, and a new server reads the result', async () => {
  const provider = await startAnthropicServer();
  const home = tempDir();
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: provider.url };
  const first = await connectServer({ home, env });
  const prompt = 'Tell me [[model {"pieces":["The ","answer ","is ","forty-two."],"heldAt":2}]]';
  const { task_id } = await first.ok('submit_background_task', { task_description: prompt });
  await eventually('the model to be asked', () => provider.requests.length > 0);
  process.kill(first.pid, 'SIGKILL');
  await eventually('the server to be gone', () => !isAlive(first.pid));

  const second = await connectServer({ home, env });
  expect(await second.ok('check_task_status', { task_id })).toMatchObject({ status: 'running', attempt: 1 });
  provider.letGo();
  expect((await second.ok('wait_for_tasks', { task_ids: [task_id] })).done).toBe(true);
  const result = await second.call('get_task_result', { task_id });
  expect(result.text).toContain(`RESULT:\n${'='.repeat(60)}\nThe answer is forty-two.`);
  expect(result.data).toMatchObject({ status: 'completed', model: 'claude-sonnet-5-5', stop_reason: 'end_turn' });
  expect(result.data.usage.output_tokens).toBeGreaterThan(0);
  // One task, one request, one answer: nothing was done twice.
  expect(provider.requests).toHaveLength(1);
  await provider.close();
});

it('tasks in the queue are done although no server is running', async () => {
  const provider = await startAnthropicServer({ reply: ({ prompt }) => `echo of ${prompt}` });
  const home = tempDir();
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: provider.url, AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' };
  const first = await connectServer({ home, env });
  const slow = await first.ok('submit_background_task', {
    task_description: 'slow [[model {"pieces":["a","b"],"heldAt":1}]]',
  });
  const next = await first.ok('submit_background_task', { task_description: 'next', depends_on: [slow.task_id] });
  const last = await first.ok('submit_background_task', { task_description: 'last' });
  await eventually('the model to be asked', () => provider.requests.length > 0);
  process.kill(first.pid, 'SIGKILL');
  provider.letGo();
  await eventually('all three to be asked', () => provider.requests.length === 3);

  const second = await connectServer({ home, env });
  const ids = [slow.task_id, next.task_id, last.task_id];
  const waited = await second.ok('wait_for_tasks', { task_ids: ids });
  expect(waited.tasks.map((task: { status: string }) => task.status)).toEqual(['completed', 'completed', 'completed']);
  expect((await second.ok('get_task_result', { task_id: next.task_id })).result).toMatch(/^echo of next\n/);
  await provider.close();
});

it('a resumed conversation finds the task that it had claimed; another one does not get it', async () => {
  const home = tempDir();
  const env = { CLAUDE_CODE_SESSION_ID: 'conversation-1' };
  const first = await connectServer({ home, env });
  await first.ok('create_task', { title: 'Long work' });
  const claim = await first.ok('claim_next_task');
  process.kill(first.pid, 'SIGKILL');

  const stranger = await connectServer({ home });
  expect((await stranger.ok('claim_next_task')).why).toMatchObject({ claimed: 1 });
  expect((await stranger.call('update_task_status', { task_id: claim.id, status: 'completed' })).data.code).toBe(
    'already_claimed',
  );

  const resumed = await connectServer({ home, env });
  const status = await resumed.ok('runtime_status');
  expect(status.yours.tasks).toMatchObject([{ id: claim.id, claim_token: claim.claim_token }]);
  expect(status.next).toContain(`task ${claim.id}`);
  const done = await resumed.ok('update_task_status', {
    task_id: claim.id,
    status: 'completed',
    claim_token: claim.claim_token,
  });
  expect(done.status).toBe('completed');
});
