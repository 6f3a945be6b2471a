import { describe, expect, it } from 'vitest';
import { type Queue, testQueue } from './queue.js';

const breaker = 'llm:anthropic';
const minute = 60_000;

/** A job that a breaker has postponed for five minutes. */
async function postponed(queue: Queue, blockedBy: readonly string[] = [breaker]): Promise<string> {
  const job = await queue.running();
  await queue.finish(job, { kind: 'postponed', message: 'Open.', retryAfterMs: 5 * minute, blockedBy });
  return job.id;
}

async function trippedQueue(): Promise<Queue> {
  const queue = await testQueue();
  await queue.runtime.breakers.trip(breaker, { reason: 'down' });
  return queue;
}

describe('a job that a breaker has postponed', () => {
  it('is due at once when the breaker is reset by hand', async () => {
    const queue = await trippedQueue();
    const id = await postponed(queue);
    expect((await queue.row(id)).run_at).toBeGreaterThan(queue.clock.now());
    expect(await queue.jobs.anyReady()).toBe(false);
    await queue.runtime.breakers.reset(breaker);
    expect(await queue.row(id)).toMatchObject({ run_at: queue.clock.now(), blocked_by: null });
    expect(await queue.jobs.anyReady()).toBe(true);
  });

  it('is due at once when the breaker closes because its probes succeeded', async () => {
    const queue = await trippedQueue();
    queue.clock.pass(2 * minute);
    const id = await postponed(queue);
    queue.clock.pass(4 * minute);
    const first = await queue.runtime.breakers.acquire(breaker);
    await queue.runtime.breakers.recordSuccess(breaker, first.permit);
    expect((await queue.row(id)).run_at).toBeGreaterThan(queue.clock.now());
    const second = await queue.runtime.breakers.acquire(breaker);
    await queue.runtime.breakers.recordSuccess(breaker, second.permit);
    expect((await queue.row(id)).run_at).toBe(queue.clock.now());
  });

  it('is due at once when the breaker of its own type closes with the end of another job', async () => {
    const queue = await testQueue();
    await queue.runtime.breakers.configure('job:generic', { successThreshold: 1 });
    await queue.runtime.breakers.trip('job:generic', { reason: 'down' });
    queue.clock.pass(2 * minute);
    const id = await postponed(queue, ['job:generic']);
    const prober = await queue.running();
    queue.clock.pass(4 * minute);
    expect((await queue.row(id)).run_at).toBeGreaterThan(queue.clock.now());
    await queue.finish(prober, { kind: 'completed', result: { ok: true } });
    expect((await queue.row(id)).run_at).toBe(queue.clock.now());
  });

  it('is due at once when the breaker closed while its attempt was being given back', async () => {
    const queue = await trippedQueue();
    const job = await queue.running();
    await queue.runtime.breakers.reset(breaker);
    await queue.finish(job, { kind: 'postponed', message: 'Open.', retryAfterMs: 5 * minute, blockedBy: [breaker] });
    expect((await queue.row(job.id)).run_at).toBe(queue.clock.now());
  });

  it('goes on waiting when another breaker closes', async () => {
    const queue = await trippedQueue();
    const id = await postponed(queue);
    await queue.runtime.breakers.reset('llm:google');
    expect((await queue.row(id)).run_at).toBeGreaterThan(queue.clock.now());
  });
});
