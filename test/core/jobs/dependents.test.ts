import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../src/core/jobs/submit-job.js';
import { completed, failing, type Queue, session, testQueue } from './queue.js';

type Policy = NonNullable<NewJob['onDependencyFailure']>;

/** A job that has failed, one of the policy that depends on it, and one that depends on that. */
async function chain(policy: Policy) {
  const queue = await testQueue();
  const job = await queue.running({ priority: 10 });
  const dependent = await queue.submit({ dependsOn: [job.id], onDependencyFailure: policy });
  const last = await queue.submit({ dependsOn: [dependent.id] });
  await queue.finish(job, failing(false));
  return { queue, job, dependent, last };
}

const statusOf = async (queue: Queue, id: string) => (await queue.row(id)).status;

describe('a job whose dependency fails', () => {
  it('is cancelled unless it says otherwise, and what waits for it too', async () => {
    const { queue, dependent, last } = await chain('cancel');
    expect(await queue.row(dependent.id)).toMatchObject({ status: 'cancelled', error_code: 'dependency_failed' });
    expect(await statusOf(queue, last.id)).toBe('cancelled');
  });

  it('runs all the same by `run`', async () => {
    const { queue, dependent, last } = await chain('run');
    const taken = await queue.take(await queue.runner());
    expect(taken.id).toBe(dependent.id);
    await queue.finish(taken, completed);
    expect((await queue.take(await queue.runner())).id).toBe(last.id);
  });

  it('is left out by `skip`, and what waits for it goes on', async () => {
    const { queue, dependent, last } = await chain('skip');
    expect(await queue.row(dependent.id)).toMatchObject({ status: 'cancelled', error_code: 'dependency_failed' });
    expect((await queue.take(await queue.runner())).id).toBe(last.id);
  });

  it('waits by `block` until the other is retried and completes', async () => {
    const { queue, job, dependent } = await chain('block');
    expect(await statusOf(queue, dependent.id)).toBe('pending');
    expect(await queue.jobs.why(dependent.id)).toBe(`It waits for job ${job.id} (failed).`);
    await queue.jobs.retry(job.id, {}, session);
    await queue.finish(await queue.take(await queue.runner()), completed);
    expect((await queue.take(await queue.runner())).id).toBe(dependent.id);
  });

  it('that has failed already, is refused where it would be cancelled at once, and taken elsewhere', async () => {
    const { queue, job } = await chain('block');
    const submit = (onDependencyFailure: Policy) => queue.submit({ dependsOn: [job.id], onDependencyFailure });
    await expect(submit('cancel')).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
    await expect(submit('skip')).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
    const { id } = await submit('run');
    expect((await queue.take(await queue.runner())).id).toBe(id);
    expect(await statusOf(queue, (await submit('block')).id)).toBe('pending');
  });
});
