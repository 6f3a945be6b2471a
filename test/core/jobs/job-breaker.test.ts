import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/jobs/outcome.js';
import { completed, type Queue, testQueue } from './queue.js';

async function guardedQueue(changes = {}): Promise<Queue> {
  const queue = await testQueue();
  await queue.runtime.breakers.configure('job:generic', { failureThreshold: 2, ...changes });
  return queue;
}

const failed = (code: string, isTransient = false): Outcome => ({ kind: 'failed', code, message: 'No.', isTransient });

async function run(queue: Queue, outcome: Outcome): Promise<void> {
  await queue.finish(await queue.running({ maxAttempts: 1 }), outcome);
}

describe('the breaker of a job type', () => {
  it('records how each attempt ended', async () => {
    const queue = await guardedQueue({ failureThreshold: 100 });
    const outcomes: [Outcome, string][] = [
      [failed('timeout'), 'timeout'],
      [failed('rate_limited', true), 'rate_limited'],
      [failed('invalid_output'), 'invalid_output'],
      [failed('budget_exhausted'), 'resource_exhausted'],
      [failed('internal'), 'exception'],
      [failed('DOWNLOAD_FAILED', true), 'exception'],
      [{ kind: 'lost', message: 'Gone.' }, 'exception'],
    ];
    for (const [outcome] of outcomes) await run(queue, outcome);
    const failures = await queue.runtime.breakers.failures('job:generic');
    expect(failures.map(({ type }) => type)).toEqual(outcomes.map(([, type]) => type));
    await run(queue, completed);
    const { circuit, totals } = await queue.runtime.breakers.get('job:generic');
    expect(totals).toMatchObject({ failures: 7, successes: 1 });
    expect(circuit.failures).toHaveLength(6);
  });

  it.each([
    failed('invalid'),
    failed('not_configured'),
    failed('DATASET_NOT_FOUND'),
    { kind: 'cancelled' } as const,
    { kind: 'postponed', message: 'Later.', retryAfterMs: 0 } as const,
  ])('does not count what says nothing about the health of the work: %o', async (outcome) => {
    const queue = await guardedQueue();
    await run(queue, outcome);
    expect((await queue.runtime.breakers.get('job:generic')).totals).toMatchObject({
      failures: 0,
      successes: 0,
    });
  });

  it('is there only for a type that somebody has configured it for', async () => {
    const queue = await testQueue();
    await run(queue, failed('internal'));
    expect(await queue.runtime.breakers.count()).toBe(0);
  });

  it('records it in the transaction that ends the attempt, so that a repeated report counts once', async () => {
    const queue = await guardedQueue();
    const job = await queue.running({ maxAttempts: 1 });
    await queue.finish(job, failed('internal'));
    await queue.finish(job, failed('internal'));
    expect((await queue.runtime.breakers.get('job:generic')).totals.failures).toBe(1);
  });
});
