import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import { completed, failing, keyOf, type Queue, session, testQueue } from './queue.js';

/** How long a job waits for its next try, milliseconds. */
async function waitOf(queue: Queue, id: string): Promise<number> {
  return (await queue.row(id)).run_at - queue.clock.now();
}

/** Has a new runner take the job once it is due. */
async function nextTry(queue: Queue, id: string) {
  queue.clock.pass(Math.max(0, await waitOf(queue, id)));
  return queue.take(await queue.runner((await queue.row(id)).lane));
}

describe('an attempt that has been superseded', () => {
  it('cannot finish the job, and learns so (R5)', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    await queue.finish(first, failing(true));
    const second = await nextTry(queue, first.id);
    expect(await queue.finish(first, completed)).toBeUndefined();
    expect(await queue.finish(first, failing(false))).toBeUndefined();
    expect((await queue.row(first.id)).status).toBe('running');
    await queue.finish(second, completed);
    expect(await queue.finish(second, failing(false))).toBeUndefined();
    expect((await queue.row(first.id)).status).toBe('completed');
    expect(await queue.events(first.id)).toEqual(['submitted', 'started', 'retrying', 'started', 'completed']);
  });

  it('cannot heartbeat', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    await queue.finish(first, failing(true));
    await nextTry(queue, first.id);
    expect(await queue.jobs.state(first.runner_id ?? '', keyOf(first))).toBeUndefined();
  });
});

describe('a failure that may pass', () => {
  it('is tried again after 2 s, 4 s, ... with full jitter, until the tries are spent (R14)', async () => {
    const chances = [0.5, 1, 0, 0.25];
    const queue = await testQueue({ random: () => chances.shift() ?? 0 });
    let job = await queue.running({ maxAttempts: 5 });
    const waits: number[] = [];
    for (let attempt = 1; attempt < 5; attempt++) {
      await queue.finish(job, failing(true));
      waits.push(await waitOf(queue, job.id));
      job = await nextTry(queue, job.id);
    }
    expect(waits).toEqual([2_000, 8_000, 0, 8_000]);
    await queue.finish(job, failing(true));
    expect(await queue.row(job.id)).toMatchObject({ status: 'failed', error_code: 'overloaded', tries: 5 });
  });

  it('never waits longer than two minutes', async () => {
    const queue = await testQueue({ random: () => 1 });
    let job = await queue.running({ maxAttempts: 20 });
    for (let attempt = 1; attempt < 12; attempt++) {
      await queue.finish(job, failing(true));
      expect(await waitOf(queue, job.id)).toBeLessThanOrEqual(120_000);
      job = await nextTry(queue, job.id);
    }
  });

  it('waits as long as the server asked for, when that is longer', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await queue.finish(job, failing(true, 90_000));
    expect(await waitOf(queue, job.id)).toBe(90_000);
  });
});

it('a failure that will not pass ends the job at once', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.finish(job, failing(false));
  expect(await queue.row(job.id)).toMatchObject({
    status: 'failed',
    error_code: 'auth',
    error_message: 'Set another key.',
    tries: 1,
  });
});

describe('a job that was postponed', () => {
  it('has lost no try, however often, and comes back after the requested delay plus up to a quarter', async () => {
    const queue = await testQueue({ random: () => 1 });
    let job = await queue.running({ maxAttempts: 1 });
    for (let times = 0; times < 5; times++) {
      await queue.finish(job, { kind: 'postponed', message: 'The breaker is open.', retryAfterMs: 4_000 });
      expect(await queue.row(job.id)).toMatchObject({ status: 'pending', tries: 0, error_code: 'postponed' });
      expect(await waitOf(queue, job.id)).toBe(5_000);
      job = await nextTry(queue, job.id);
    }
    await queue.finish(job, completed);
    expect((await queue.row(job.id)).status).toBe('completed');
  });
});

it('a job that is postponed again and again leaves one attempt and one event for all of them', async () => {
  const queue = await testQueue();
  let job = await queue.running();
  for (let times = 0; times < 20; times++) {
    await queue.finish(job, { kind: 'postponed', message: 'The breaker is open.', retryAfterMs: 4_000 });
    job = await nextTry(queue, job.id);
  }
  await queue.finish(job, completed);
  expect(await queue.jobs.attempts(job.id)).toMatchObject([
    { attempt: 20, outcome: 'postponed' },
    { attempt: 21, outcome: 'completed' },
  ]);
  expect(await queue.events(job.id)).toEqual(['submitted', 'started', 'postponed', 'completed']);
});

describe('a job whose runner vanishes', () => {
  it('goes back with the reason kept, and is dead after three times until someone retries it (R13)', async () => {
    const queue = await testQueue();
    let job = await queue.running({ maxAttempts: 10 });
    for (let crash = 1; crash < 3; crash++) {
      await queue.finish(job, { kind: 'lost', message: 'Runner x was lost.' });
      expect(await queue.row(job.id)).toMatchObject({ status: 'pending', error_code: 'runner_lost', crashes: crash });
      job = await nextTry(queue, job.id);
    }
    await queue.finish(job, { kind: 'lost', message: 'Runner x was lost.' });
    expect(await queue.row(job.id)).toMatchObject({ status: 'failed', is_dead: 1, crashes: 3 });
    expect((await queue.events(job.id)).at(-1)).toBe('died');
    queue.clock.pass(86_400_000);
    expect((await queue.jobs.nextStep(await queue.runner())).do).toBe('leave');

    await queue.jobs.retry(job.id, {}, session);
    job = await queue.take(await queue.runner());
    await queue.finish(job, completed);
    expect(await queue.row(job.id)).toMatchObject({ status: 'completed', is_dead: 0 });
  });
});

describe('what an attempt has left', () => {
  const partial = { ...failing(true), output: 'Half an ans' };

  it('is kept while the next one has brought nothing, and gives way to what that brings', async () => {
    const queue = await testQueue();
    const { db } = queue.runtime;
    const first = await queue.running();
    await queue.finish(first, partial);
    expect(await queue.jobs.output(first.id)).toBe('Half an ans');
    const second = await nextTry(queue, first.id);
    expect(await queue.jobs.output(first.id)).toBe('Half an ans');
    await db.run('insert into job_chunks (job_id, seq, text) values (?, 0, ?)', first.id, 'Another');
    expect(await queue.jobs.output(first.id)).toBe('Another');
    await queue.finish(second, { ...completed, output: 'Another answer' });
    expect(await queue.jobs.output(first.id)).toBe('Another answer');
  });

  it('is not lost with a later attempt that fails before its first word', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    await queue.finish(first, partial);
    await queue.finish(await nextTry(queue, first.id), { ...failing(false), output: '' });
    expect(await queue.jobs.output(first.id)).toBe('Half an ans');
  });

  it('is no part of an answer that is empty', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    await queue.finish(first, partial);
    await queue.finish(await nextTry(queue, first.id), { ...completed, output: '' });
    expect(await queue.jobs.output(first.id)).toBe('');
  });

  it('is read from its pieces when its runner was lost', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    for (const [seq, text] of ['One ', 'two'].entries()) {
      await queue.runtime.db.run('insert into job_chunks (job_id, seq, text) values (?, ?, ?)', job.id, seq, text);
    }
    await queue.finish(job, { kind: 'lost', message: 'Gone.' });
    expect(await queue.jobs.output(job.id)).toBe('One two');
  });

  it('stays out of the event log', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await queue.finish(job, { ...failing(false), output: 'A long answer' });
    const events = await queue.runtime.db.all<{ data: string }>("select data from events where subject = 'job'");
    expect(JSON.stringify(events)).not.toContain('A long answer');
  });
});

describe('the effect of completing a job', () => {
  it('happens once, in the transaction that completes it', async () => {
    const calls: string[] = [];
    const queue = await testQueue({
      effects: new Map([['generic', async (_sql, job) => void calls.push(job.status)]]),
    });
    const job = await queue.running();
    await queue.finish(job, completed);
    await queue.finish(job, completed);
    expect(calls).toEqual(['completed']);
  });

  it('fails the job when it is not possible, and changes nothing else', async () => {
    const queue = await testQueue({
      effects: new Map([
        [
          'generic',
          async (sql) => {
            await sql.run("update jobs set priority = 10 where type = 'generic'");
            throw new RuntimeError('conflict', 'Goal 1 is cancelled.');
          },
        ],
      ]),
    });
    const job = await queue.running();
    const ended = await queue.finish(job, completed);
    expect(ended).toMatchObject({ status: 'failed', error_code: 'conflict', output: 'Done.', priority: 5 });
    expect(ended?.error_message).toContain('Goal 1 is cancelled.');
  });

  it('that has a defect fails the job as well, rather than leave it running for ever', async () => {
    const queue = await testQueue({
      effects: new Map([['generic', () => Promise.reject(new TypeError('undefined is not a function'))]]),
    });
    const job = await queue.running();
    expect(await queue.finish(job, completed)).toMatchObject({ status: 'failed', error_code: 'internal' });
  });
});

it('a job that was cancelled while it failed is cancelled, and not tried again', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.jobs.cancel(job.id, session);
  await queue.finish(job, failing(true));
  expect(await queue.row(job.id)).toMatchObject({
    status: 'cancelled',
    error_code: 'cancelled',
    error_message: 'The job was cancelled.',
  });
});

it('a job that was completed before its cancellation reached it is completed', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.jobs.cancel(job.id, session);
  await queue.finish(job, completed);
  expect((await queue.row(job.id)).status).toBe('completed');
});

it('when a job does not complete, those that depend on it are cancelled with the reason, through all levels', async () => {
  const queue = await testQueue();
  const first = await queue.running();
  const second = await queue.submit({ dependsOn: [first.id] });
  const third = await queue.submit({ dependsOn: [second.id] });
  await queue.finish(first, failing(false));
  expect(await queue.jobs.get(second.id)).toMatchObject({
    status: 'cancelled',
    errorCode: 'dependency_failed',
    errorMessage: `Not run, because job ${first.id}, which it depends on, failed.`,
  });
  expect(await queue.jobs.get(third.id)).toMatchObject({
    status: 'cancelled',
    errorMessage: `Not run, because job ${second.id}, which it depends on, was cancelled.`,
  });
});
