import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { samplesOf } from '../core/metrics/samples.js';
import { background, scripted } from './fixtures/background.js';

it('calls of models are counted and logged with their job, their time and why they failed, and never their texts', async () => {
  const runtime = await background();
  const good = await runtime.ask('A prompt that nobody else reads');
  await runtime.ended(good);
  const bad = await runtime.ask(scripted({ status: 401, message: 'invalid key' }));
  await runtime.ended(bad);
  const unknown = await runtime.ask(scripted({ status: 404, message: 'no such model' }), {
    model: 'claude-mistyped-9',
  });
  await runtime.ended(unknown);
  await runtime.idle();

  const { model, inputTokens, outputTokens } = await runtime.jobs.get(good);
  const samples = await samplesOf(runtime.db);
  expect(samples).toMatchObject({
    [`llm_requests_total{provider=anthropic,model=${model},status=ok}`]: 1,
    [`llm_requests_total{provider=anthropic,model=${model},status=auth}`]: 1,
    [`llm_tokens_total{provider=anthropic,model=${model},direction=input}`]: inputTokens,
    [`llm_tokens_total{provider=anthropic,model=${model},direction=output}`]: outputTokens,
    // A name that was mistyped does not become a label.
    'llm_requests_total{provider=anthropic,model=unknown,status=not_found}': 1,
  });
  expect(inputTokens).toBeGreaterThan(0);

  const directory = join(runtime.home, '.claude', 'agent_runtime', 'logs');
  const [name = ''] = readdirSync(directory).filter((file) => file.startsWith('agent-runtime-'));
  const text = readFileSync(join(directory, name), 'utf8');
  const calls = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ message }) => message === 'provider_call');
  const common = { type: 'llm', provider: 'anthropic', duration_ms: expect.any(Number) };
  expect(calls).toMatchObject([
    { ...common, job_id: good, model, status: 'ok' },
    { ...common, job_id: bad, status: 'error', code: 'auth' },
    { ...common, job_id: unknown, status: 'error', code: 'not_found' },
  ]);
  expect(text).not.toContain('nobody else reads');
});
