import { describe, expect, it } from 'vitest';
import { closedUrl } from '../fixtures/models/scripted-server.js';
import { eventually } from '../support/eventually.js';
import { inProcess } from './fixtures/in-process.js';

describe('a provider that answers with an error', () => {
  it('401: the task fails at once, naming the variable to set; the provider is not to blame', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ status: 401, message: 'invalid x-api-key sk-ant-test-key-0001' });
    const job = await runtime.tryOnce(await runtime.ask('Hello'));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'auth', attempt: 1 });
    expect(job.errorMessage).toMatch(/refused the API key \(401\).*ANTHROPIC_API_KEY/);
    expect(job.errorMessage).not.toContain('sk-ant');
    expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 0 });
  });

  it('429: the task waits as long as it was asked to, and is tried again', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ status: 429, headers: { 'retry-after': '77' } });
    const id = await runtime.ask('Hello');
    const job = await runtime.tryOnce(id);
    expect(job).toMatchObject({ status: 'pending', errorCode: 'rate_limited', tries: 1 });
    expect(job.errorMessage).toContain('Try again in 77 s.');
    expect(await runtime.waitOf(id)).toBe(77_000);
    expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 1 });
    expect(await runtime.tryOnce(id)).toMatchObject({ status: 'completed', attempt: 2, errorCode: null });
    expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 0 });
  });

  it.each([500, 529])('%i: the task is tried again until its tries are spent', async (status) => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ status }, { status }, { status });
    const id = await runtime.ask('Hello');
    for (let attempt = 1; attempt < 3; attempt++) {
      expect(await runtime.tryOnce(id)).toMatchObject({ status: 'pending', errorCode: 'overloaded', attempt });
      expect(await runtime.waitOf(id)).toBeLessThanOrEqual(2_000 * 2 ** attempt);
    }
    const job = await runtime.tryOnce(id);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'overloaded', attempt: 3 });
    expect(job.errorMessage).toContain('Try again later, or use another model.');
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 3 });
  });
});

describe('a provider that is too slow', () => {
  it.each([
    ['to begin', { latencyMs: 30_000 }],
    ['and says nothing at all', { silent: true }],
    ['to go on', { pieces: ['Half an answer'], ending: 'hang' as const }],
  ])('%s: the attempt ends when its time is over, and counts', async (_, script) => {
    const runtime = await inProcess();
    runtime.anthropic.script.push(script);
    const job = await runtime.tryOnce(await runtime.ask('Hello', { timeout_seconds: 4 }));
    expect(job).toMatchObject({ status: 'pending', errorCode: 'timeout', tries: 1 });
    expect(job.errorMessage).toBe('Attempt 1 took longer than its 4 s.');
    expect(job.output).toBe('pieces' in script ? 'Half an answer' : '');
    await eventually('the request to be given up', () => runtime.anthropic.requests[0]?.isAborted);
  });
});

it('a stream that breaks off is no answer: what had come is kept and the task tried again', async () => {
  const runtime = await inProcess();
  runtime.anthropic.script.push({ pieces: ['Half an ', 'answer'], ending: 'cut' });
  const id = await runtime.ask('Hello');
  const job = await runtime.tryOnce(id);
  expect(job).toMatchObject({ status: 'pending', output: 'Half an answer' });
  expect(job.errorCode).toMatch(/network|invalid_output/);
  expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 1 });
  expect(await runtime.tryOnce(id)).toMatchObject({ status: 'completed', output: 'You said: Hello' });
});

it('a provider that refuses connections is named with its address, and tried again', async () => {
  const url = await closedUrl();
  const runtime = await inProcess({ ANTHROPIC_BASE_URL: url });
  const id = await runtime.ask('Hello', { max_attempts: 2 });
  expect(await runtime.tryOnce(id)).toMatchObject({ status: 'pending', errorCode: 'network' });
  const job = await runtime.tryOnce(id);
  expect(job).toMatchObject({ status: 'failed', errorCode: 'network' });
  expect(job.errorMessage).toContain(`Cannot reach Anthropic at ${url} (ECONNREFUSED)`);
  expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 2 });
});

describe('a provider that is down', () => {
  it('is left in peace after five failures; tasks wait without losing a try, and go on when it is back', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push(...Array.from({ length: 5 }, () => ({ status: 500 })));
    for (let count = 0; count < 5; count++) {
      expect((await runtime.tryOnce(await runtime.ask('Hello', { max_attempts: 1 }))).status).toBe('failed');
    }
    expect(await runtime.breaker('llm:anthropic')).toMatchObject({ state: 'open' });

    const id = await runtime.ask('And now?');
    const job = await runtime.tryOnce(id);
    expect(job).toMatchObject({ status: 'pending', tries: 0, errorCode: 'postponed' });
    expect(job.errorMessage).toBe('The breaker llm:anthropic is open; nothing was sent.');
    expect(runtime.anthropic.requests).toHaveLength(5);
    const wait = await runtime.waitOf(id);
    expect(wait).toBeGreaterThanOrEqual(300_000);
    expect(wait).toBeLessThanOrEqual(375_000);

    expect(await runtime.tryOnce(id)).toMatchObject({ status: 'completed', tries: 1 });
    expect(await runtime.breaker('llm:anthropic')).toMatchObject({ state: 'half_open' });
    await runtime.tryOnce(await runtime.ask('Once more'));
    expect(await runtime.breaker('llm:anthropic')).toEqual({ state: 'closed', failures: 0 });
    expect(await runtime.db.all('select * from breaker_permits')).toEqual([]);
  });

  it('and whose breaker was tripped by hand, fails a task with the way to reset it', async () => {
    const runtime = await inProcess();
    await runtime.breakers.acquire('llm:anthropic');
    await runtime.db.run("update breakers set state = 'open', is_held = 1, cooldown_until = 0");
    const job = await runtime.tryOnce(await runtime.ask('Hello'));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'circuit_open' });
    expect(job.errorMessage).toContain('circuit_breaker_reset with agent_id llm:anthropic');
  });
});

describe('fallback models', () => {
  const fallback_models = ['gemini-3.8-flash'];

  it('are asked when the breaker is open, and the task says so', async () => {
    const runtime = await inProcess();
    const failure = { type: 'exception', message: 'Down' } as const;
    for (let count = 0; count < 5; count++) await runtime.breakers.recordFailure('llm:anthropic', failure);
    const job = await runtime.tryOnce(await runtime.ask('Hello', { fallback_models }));
    expect(job).toMatchObject({ status: 'completed', tries: 1, requestedModel: 'claude-sonnet-5-5' });
    expect(job.model).toBe('gemini-3.8-flash-001');
    expect(job.warnings).toEqual(['gemini-3.8-flash was used in place of claude-sonnet-5-5 (its breaker is open).']);
    expect(runtime.anthropic.requests).toHaveLength(0);
  });

  it('are asked at once when the failure will not pass, and not before the tries are spent when it may', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ status: 401 });
    const refused = await runtime.tryOnce(await runtime.ask('Hello', { fallback_models }));
    expect(refused).toMatchObject({ status: 'completed', attempt: 1 });
    expect(refused.warnings).toEqual(['gemini-3.8-flash was used in place of claude-sonnet-5-5 (auth).']);

    runtime.anthropic.script.push({ status: 500 }, { pieces: ['Half'], ending: 'cut' });
    const id = await runtime.ask('Hello', { fallback_models, max_attempts: 2 });
    expect(await runtime.tryOnce(id)).toMatchObject({ status: 'pending', attempt: 1 });
    expect(runtime.google.requests).toHaveLength(1);
    // What the first model had begun is no part of the answer of the second.
    expect(await runtime.tryOnce(id)).toMatchObject({ status: 'completed', attempt: 2, output: 'You said: Hello' });
    expect(runtime.google.requests).toHaveLength(2);
  });

  it('that fail as well leave the first failure as the reason, and all of them in the warnings', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ status: 401 });
    runtime.google.script.push({ status: 500 });
    const job = await runtime.tryOnce(await runtime.ask('Hello', { fallback_models, max_attempts: 1 }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'auth' });
    expect(job.warnings).toContain('No model was left: claude-sonnet-5-5 (auth), gemini-3.8-flash (overloaded).');
  });

  it('that this runner has no key for are passed over', async () => {
    const runtime = await inProcess({ GOOGLE_API_KEY: '' });
    runtime.anthropic.script.push({ status: 401 });
    const id = await runtime.ask('Hello');
    // As a session with a key of Google would have submitted it.
    const payload = { prompt: 'Hello', model: 'sonnet', fallback_models };
    await runtime.db.run('update jobs set payload = ? where id = ?', JSON.stringify(payload), id);
    const job = await runtime.tryOnce(id);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'auth' });
    expect(job.warnings).toEqual(['No model was left: sonnet (auth), gemini-3.8-flash (not_configured).']);
  });

  it('that are behind open breakers too put the task off until the first of them may be asked', async () => {
    const runtime = await inProcess();
    const failure = { type: 'exception', message: 'Down' } as const;
    for (let count = 0; count < 5; count++) await runtime.breakers.recordFailure('llm:anthropic', failure);
    runtime.clock.pass(100_000);
    for (let count = 0; count < 5; count++) await runtime.breakers.recordFailure('llm:google', failure);
    const id = await runtime.ask('Hello', { fallback_models });
    expect(await runtime.tryOnce(id)).toMatchObject({ status: 'pending', tries: 0, errorCode: 'postponed' });
    expect(await runtime.waitOf(id)).toBeLessThanOrEqual(250_000);
  });
});

it('a model id that is retired is replaced, and the task says by what, from its submission on', async () => {
  const runtime = await inProcess();
  const id = await runtime.ask('Hello', { model: 'claude-3-5-sonnet-20241022' });
  expect((await runtime.jobs.get(id)).warnings[0]).toMatch(/claude-3-5-sonnet-20241022 is retired/);
  const job = await runtime.tryOnce(id);
  expect(job).toMatchObject({ requestedModel: 'claude-3-5-sonnet-20241022', model: 'claude-sonnet-5-5' });
  expect(job.warnings).toHaveLength(1);
});
