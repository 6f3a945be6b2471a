import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { session } from '../runner/fixtures/background.js';
import { inProcess } from '../runner/fixtures/in-process.js';
import { jobStoreOf } from '../support/job-store.js';
import { tempDir } from '../support/temp-dir.js';

function limited(rate: object): Record<string, string> {
  const path = join(tempDir(), 'config.json');
  writeFileSync(path, JSON.stringify({ limits: { rates: { anthropic: rate } } }));
  return { AGENT_RUNTIME_CONFIG: path };
}

it('a prompt that would pass the rate limit of its provider waits unclaimed, and says until when', async () => {
  const runtime = await inProcess(limited({ requestsPerMinute: 1 }));
  expect((await runtime.tryOnce(await runtime.ask('One'))).status).toBe('completed');
  const second = await runtime.ask('Two');
  const store = jobStoreOf(runtime);
  expect(await store.hasReady('call')).toBe(false);
  const why = (await runtime.jobs.why(second)) ?? '';
  expect(why).toMatch(/^The rate limit of anthropic is reached: 1 request a minute\. It may start at 2026-/);
  const [permit = ''] = await store.permitRunners(session);
  await store.registerRunner(permit);
  const { next } = await store.turn(permit, [], 1);
  if (next.do !== 'wait') throw new Error(`It is told to ${next.do}.`);
  expect(why).toContain(new Date(next.until).toISOString());
  expect(await runtime.jobs.get(second)).toMatchObject({ status: 'pending', attempt: 0 });
  runtime.clock.pass(next.until - runtime.clock.now());
  expect(await store.hasReady('call')).toBe(true);
});

it('no more prompts are claimed at once than their provider lets through', async () => {
  const runtime = await inProcess(limited({ requestsPerMinute: 2 }));
  for (let count = 0; count < 5; count++) await runtime.ask(`Number ${count}`);
  const store = jobStoreOf(runtime);
  const [permit = ''] = await store.permitRunners(session);
  await store.registerRunner(permit);
  const { next } = await store.turn(permit, [], 16);
  expect(next.do === 'run' && next.jobs.length).toBe(2);
});

it('a second call of a job waits as well, and costs no try', async () => {
  const runtime = await inProcess(limited({ requestsPerMinute: 1 }));
  runtime.anthropic.script.push({ pieces: ['no JSON'] });
  const json_schema = { type: 'object', required: ['a'] };
  const job = await runtime.tryOnce(await runtime.ask('Hello', { model_params: { json_schema } }));
  expect(job).toMatchObject({ status: 'pending', tries: 0 });
  expect(job.errorMessage).toBe('The rate limit of anthropic is reached: 1 request a minute. Nothing was sent.');
  expect(await runtime.jobs.why(job.id)).toContain(new Date(job.runAt).toISOString());
  expect(await runtime.waitOf(job.id)).toBeGreaterThanOrEqual(60_000);
  expect(runtime.anthropic.requests).toHaveLength(1);
});

it('what a vendor says in its headers holds the next calls back, in whatever process', async () => {
  const runtime = await inProcess();
  const reset = new Date(Date.now() + 600_000).toISOString();
  runtime.anthropic.script.push({
    pieces: ['Hi'],
    headers: { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': reset },
  });
  expect((await runtime.tryOnce(await runtime.ask('One'))).status).toBe('completed');
  const next = await runtime.ask('Two');
  expect(await jobStoreOf(runtime).hasReady('call')).toBe(false);
  expect(await runtime.jobs.why(next)).toMatch(/its last answer left 0 requests\. It may start at/);
  runtime.clock.pass(600_000);
  expect(await jobStoreOf(runtime).hasReady('call')).toBe(true);
});

it('a refusal for the rate holds back every call until the time that it names', async () => {
  const runtime = await inProcess();
  runtime.anthropic.script.push({ status: 429, headers: { 'retry-after': '90' } });
  const refused = await runtime.tryOnce(await runtime.ask('One'));
  expect(refused).toMatchObject({ status: 'pending', errorCode: 'rate_limited' });
  const next = await runtime.ask('Two');
  expect(await runtime.jobs.why(next)).toMatch(
    /^The rate limit of anthropic is reached: it asked to be called later\./,
  );
  expect(await jobStoreOf(runtime).hasReady('call')).toBe(false);
});
