import { describe, expect, it } from 'vitest';
import { retryLlmJob, submitLlmJob } from '../../src/services/model-request.js';
import { background, scripted, session } from '../runner/fixtures/background.js';
import { eventually } from '../support/eventually.js';
import { testRuntime } from '../support/test-runtime.js';

describe('a request that no model could answer fails at once, and stores nothing', () => {
  it.each([
    ['without any provider', {}, 'not_configured', 'ANTHROPIC_API_KEY'],
    ['for a model whose key is missing', { model: 'sonnet' }, 'not_configured', 'ANTHROPIC_API_KEY'],
    ['for a model that nobody knows', { model: 'palm-2' }, 'invalid', 'claude-sonnet-5-5'],
    [
      'with a fallback whose key is missing',
      { model: 'ollama:llama3.2', fallback_models: ['opus'] },
      'not_configured',
      'ANTHROPIC_API_KEY',
    ],
  ])('%s', async (_, request, code, hint) => {
    const runtime = await testRuntime();
    await expect(submitLlmJob({ task_description: 'Hello', ...request }, session, runtime)).rejects.toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) }),
    );
    expect(await runtime.jobs.list({ limit: 10 })).toEqual([]);
    expect(await runtime.db.all('select * from runners')).toEqual([]);
  });
});

it('twenty simultaneous requests with one key are one task and one call', async () => {
  const runtime = await background();
  const request = { task_description: 'Hello', idempotency_key: 'once' };
  const submitted = await Promise.all(Array.from({ length: 20 }, () => submitLlmJob(request, session, runtime)));
  expect(new Set(submitted.map(({ job }) => job.id)).size).toBe(1);
  await runtime.ended(submitted[0]?.job.id ?? '');
  await runtime.idle();
  expect(runtime.server.requests).toHaveLength(1);
});

it('a task that depends on another runs after it, and not at all when that one fails', async () => {
  const runtime = await background();
  const first = await runtime.ask(scripted({ isHeld: true }, 'First'));
  const second = await runtime.ask('Second', { depends_on: [first] });
  const failing = await runtime.ask(scripted({ status: 401, isHeld: true }, 'Third'));
  const never = await runtime.ask('Never', { depends_on: [failing] });
  await eventually('both are asked for', () => runtime.server.requests.length === 2);
  runtime.server.letGo();
  expect((await runtime.ended(second)).status).toBe('completed');
  expect(await runtime.ended(never)).toMatchObject({ status: 'cancelled', errorCode: 'dependency_failed' });
  const asked = runtime.server.requests.map(({ prompt }) => prompt.split(/\s/)[0]);
  expect([asked.slice(0, 2).sort(), asked.slice(2)]).toEqual([['First', 'Third'], ['Second']]);
});

describe('a retry', () => {
  it('may ask another model, and keeps the rest of the request', async () => {
    const runtime = await background();
    runtime.server.script.push({ status: 401 });
    const id = await runtime.ask('Hello', { system: 'Be brief.' });
    expect((await runtime.ended(id)).status).toBe('failed');
    await retryLlmJob({ task_id: id, model: 'opus' }, session, runtime);
    expect(await runtime.ended(id)).toMatchObject({ status: 'completed', requestedModel: 'opus' });
    expect(runtime.server.requests[1]).toMatchObject({
      model: 'claude-opus-5-5',
      system: 'Be brief.',
      prompt: 'Hello',
    });
  });

  it('with a model is refused for a job that asks none', async () => {
    const runtime = await background();
    const id = await runtime.give('generic', {});
    await runtime.ended(id);
    await expect(retryLlmJob({ task_id: id, model: 'opus' }, session, runtime)).rejects.toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining('type generic') }),
    );
  });
});
