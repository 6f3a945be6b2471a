import { expect, it } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { background, scripted } from './fixtures/background.js';

async function serverWithModel(): Promise<ConnectedServer> {
  const model = await startAnthropicServer();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: model.url };
  return connectServer({ home: tempDir(), env });
}

it('a running task shows its model, the tokens so far and its newest text, as data and as text', async () => {
  const server = await serverWithModel();
  const task_description = scripted({ pieces: ['Once upon ', 'a time '], ending: 'hang' }, 'Tell a story.');
  const { task_id } = await server.ok('submit_background_task', { task_description, model: 'claude-sonnet-5-5' });
  const look = () => server.call('check_task_status', { task_id });
  await eventually('its text arrives', async () => (await look()).data.partial_output?.includes('a time'));
  const { data, text } = await look();
  expect(data).toMatchObject({ status: 'running', model: 'claude-sonnet-5-5' });
  expect(data.input_tokens).toBeGreaterThan(0);
  expect(data.output_tokens).toBeGreaterThan(0);
  expect(text).toContain('Status: running\nModel: claude-sonnet-5-5\nTimes: created 20');
  expect(text).toContain(`Tokens: ${data.input_tokens} in, ${data.output_tokens} out`);
  expect(text).toContain('Newest text: Once upon a time');
  await server.ok('cancel_task', { task_id });
  // Counted once: what was shown on the way is not added to what the call cost.
  const ended = await server.ok('check_task_status', { task_id });
  expect(ended).toMatchObject({ status: 'cancelled', input_tokens: data.input_tokens });
});

it('the text of a long result says that it is cut, and how to go on', async () => {
  const server = await serverWithModel();
  const answer = 'x'.repeat(30_000);
  const { task_id } = await server.ok('submit_background_task', {
    task_description: scripted({ pieces: [answer] }, 'Write.'),
  });
  await server.ok('wait_for_tasks', { task_ids: [task_id], timeout_seconds: 20 });
  const first = await server.call('get_task_result', { task_id });
  expect(first.text).toMatch(
    new RegExp(
      `\\[Cut: 10000 of 30000 characters follow\\. Call get_task_result with task_id ${task_id} and offset 20000\\.\\]`,
    ),
  );
  const second = await server.call('get_task_result', { task_id, offset: 20_000 });
  expect(second.text).not.toContain('Cut:');
});

it('a task that has used up its token budget names retry_task, which raises it', async () => {
  const runtime = await background();
  const id = await runtime.ask('Say hello to everyone who is here today.', { token_budget: 20 });
  expect(await runtime.ended(id)).toMatchObject({
    errorCode: 'budget_exhausted',
    errorMessage: expect.stringContaining(`Call retry_task with task_id ${id} and a higher token_budget`),
  });
  await runtime.jobs.retry(id, { tokenBudget: 5_000 }, { holder: 'session:test', project: '' });
  expect(await runtime.ended(id)).toMatchObject({ status: 'completed', tokenBudget: 5_000 });
});

it('a budget below what the tries have used is refused, and nothing is changed', async () => {
  const runtime = await background();
  const id = await runtime.ask(scripted({ pieces: ['Hello '], status: 400, ending: 'error' }), { max_attempts: 1 });
  const { inputTokens, outputTokens, status } = await runtime.ended(id);
  expect(status).toBe('failed');
  const used = inputTokens + outputTokens;
  expect(used).toBeGreaterThan(0);
  const retry = runtime.jobs.retry(id, { tokenBudget: used }, { holder: null, project: '' });
  await expect(retry).rejects.toMatchObject({ code: 'invalid', hint: expect.stringContaining(`more than ${used}`) });
  expect(await runtime.jobs.get(id)).toMatchObject({ status: 'failed', tokenBudget: null });
});
