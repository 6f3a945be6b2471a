import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent } from '../../src/agents/define-agent.js';
import { createRedactor } from '../../src/base/redact.js';
import type { JobRow } from '../../src/core/jobs/job.js';
import type { Outcome } from '../../src/core/jobs/outcome.js';
import { startAttempt } from '../../src/runner/attempt.js';
import { type Queue, testQueue } from '../core/jobs/queue.js';
import { eventually } from '../support/eventually.js';

/** Has an agent whose work is `work` make the attempt, and writes what came of it. */
async function attempt(queue: Queue, job: JobRow, work: () => Promise<unknown>): Promise<Outcome['kind']> {
  const { db, config } = queue.runtime;
  const agent = defineAgent({ type: 'generic', description: 'For a test.', payload: z.any(), execute: work });
  const { outcome } = startAttempt(job, {
    db,
    clock: queue.clock,
    redact: createRedactor([]),
    dataDir: config.dataDir,
    loadAgent: async () => agent,
    stopGraceMs: 100,
  });
  const ended = await outcome;
  if (ended === 'superseded') throw new Error('Superseded.');
  await queue.finish(job, ended);
  return ended.kind;
}

const broken = () => Promise.reject(new TypeError('x is not a function'));
const working = async () => ({ ok: true });

it('jobs of a type that keeps failing wait without losing a try, and go on with a probe when its cooldown is over', async () => {
  const queue = await testQueue();
  const { breakers } = queue.runtime;
  await breakers.configure('job:generic', {
    failureThreshold: 2,
    cooldownSeconds: 60,
    halfOpenMaxCalls: 1,
    successThreshold: 1,
  });
  for (let count = 0; count < 2; count++) expect(await attempt(queue, await queue.running(), broken)).toBe('failed');

  let isStarted = false;
  const waiting = await queue.running();
  expect(await attempt(queue, waiting, async () => (isStarted = true))).toBe('postponed');
  expect(isStarted).toBe(false);
  expect(await queue.row(waiting.id)).toMatchObject({
    status: 'pending',
    tries: 0,
    error_message: 'The breaker job:generic is open; nothing was started.',
  });

  queue.clock.pass(75_000);
  const probe = await queue.take(await queue.runner());
  expect(probe.id).toBe(waiting.id);
  let finishProbe = () => {};
  const probing = attempt(queue, probe, () => new Promise<void>((resolve) => (finishProbe = resolve)));
  await eventually('the probe is under way', async () => (await breakers.get('job:generic')).circuit.permits === 1);
  // One probe at a time, over all runners.
  expect(await attempt(queue, await queue.running(), working)).toBe('postponed');
  finishProbe();
  expect(await probing).toBe('completed');
  expect((await breakers.get('job:generic')).circuit).toMatchObject({ state: 'closed', permits: 0 });
  expect(await attempt(queue, await queue.running(), working)).toBe('completed');
});

it('a type whose breaker is held is paused until it is reset, and says so', async () => {
  const queue = await testQueue();
  await queue.runtime.breakers.trip('job:generic', { reason: 'paused', mustHold: true });
  const job = await queue.running();
  expect(await attempt(queue, job, working)).toBe('postponed');
  const { error_message, run_at } = await queue.row(job.id);
  expect(error_message).toContain('waits for circuit_breaker_reset');
  expect(run_at - queue.clock.now()).toBeLessThanOrEqual(37_500);
  await queue.runtime.breakers.reset('job:generic');
  queue.clock.pass(37_500);
  expect(await attempt(queue, await queue.take(await queue.runner()), working)).toBe('completed');
});

it('a probe whose attempt fails opens the breaker again, and one that is cancelled gives its place back', async () => {
  const queue = await testQueue();
  const { breakers, db } = queue.runtime;
  await breakers.configure('job:generic', { failureThreshold: 1, cooldownSeconds: 60, halfOpenMaxCalls: 1 });
  expect(await attempt(queue, await queue.running(), broken)).toBe('failed');
  queue.clock.pass(60_000);
  const cancelled = await queue.running();
  expect(await breakers.acquire('job:generic', { holder: `job:${cancelled.id}:1` })).toMatchObject({ allowed: true });
  await queue.finish(cancelled, { kind: 'cancelled' });
  expect(await db.all('select * from breaker_permits')).toEqual([]);
  expect(await attempt(queue, await queue.running(), broken)).toBe('failed');
  expect((await breakers.get('job:generic')).circuit).toMatchObject({ state: 'open', consecutiveTrips: 2 });
});
