import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AgentContext, AgentError, defineAgent, Postponed } from '../../src/agents/define-agent.js';
import { RuntimeError } from '../../src/base/errors.js';
import type { JsonObject } from '../../src/base/json.js';
import { createRedactor } from '../../src/base/redact.js';
import type { JobRow } from '../../src/core/jobs/job.js';
import { ModelError } from '../../src/core/ports.js';
import { type Attempt, startAttempt } from '../../src/runner/attempt.js';
import { completed, failing, type Queue, testQueue } from '../core/jobs/queue.js';
import { eventually } from '../support/eventually.js';
import { isOnPostgres } from '../support/postgres.js';
import { holdLock } from './fixtures/hold-lock.js';

type Work = (context: AgentContext, payload: Record<string, unknown>) => Promise<unknown>;

/** Has an agent that does `work` make the attempt. */
function attempt(queue: Queue, job: JobRow, work: Work): Attempt {
  const agent = defineAgent({
    type: 'generic',
    description: 'For a test.',
    payload: z.record(z.string(), z.unknown()).refine((payload) => payload.bad !== true, 'is bad'),
    execute: ({ payload }, context) => work(context, payload),
  });
  const { db, config } = queue.runtime;
  return startAttempt(job, {
    db,
    clock: queue.clock,
    redact: createRedactor(['known-secret']),
    dataDir: config.dataDir,
    loadAgent: async () => agent,
    stopGraceMs: 100,
  });
}

const never = () => new Promise<never>(() => {});

describe('an attempt ends', () => {
  it.each<[string, Error, object]>([
    [
      "with an agent's own word, and whether it may pass",
      new AgentError('DATASET_NOT_FOUND', 'No such data.', true),
      { code: 'DATASET_NOT_FOUND', message: 'No such data.', isTransient: true },
    ],
    [
      'with the wait that an agent asks for, a day at most',
      new AgentError('BUSY', 'Later.', true, { retryAfterMs: 1e12 }),
      { code: 'BUSY', message: 'Later.', isTransient: true, retryAfterMs: 86_400_000 },
    ],
    [
      'with a model failure, the vendor quoted and the wait that it asked for',
      new ModelError('rate_limited', 'Slow down.', { detail: 'Too many', retryAfterMs: 5_000 }),
      { code: 'rate_limited', message: 'Slow down. It said: "Too many"', isTransient: true, retryAfterMs: 5_000 },
    ],
    [
      'with a message that ends in a command, and a full stop before what the vendor said',
      new ModelError('not_found', 'Get it with: ollama pull codellama', { detail: 'model not found' }),
      {
        code: 'not_found',
        message: 'Get it with: ollama pull codellama. It said: "model not found"',
        isTransient: false,
      },
    ],
    [
      'with an error that has a hint',
      new RuntimeError('conflict', 'It is cancelled.', 'Set it to active.'),
      { code: 'conflict', message: 'It is cancelled. Set it to active.', isTransient: false },
    ],
    [
      'with a database that was locked, which may pass',
      new RuntimeError('unavailable', 'The database stayed locked.'),
      { code: 'unavailable', isTransient: true },
    ],
    ['with a defect', new TypeError('x is not a function'), { code: 'internal', isTransient: false }],
    [
      'without secrets',
      new Error('key sk-ant-0123456789 and known-secret'),
      { message: 'key [redacted] and [redacted]' },
    ],
  ])('%s', async (_, error, expected) => {
    const queue = await testQueue();
    const { outcome } = attempt(queue, await queue.running(), () => Promise.reject(error));
    expect(await outcome).toMatchObject({ kind: 'failed', ...expected });
  });

  it('with a payload that the agent does not take, named', async () => {
    const queue = await testQueue();
    const { outcome } = attempt(queue, await queue.running({ payload: { bad: true } }), never);
    expect(await outcome).toMatchObject({
      kind: 'failed',
      code: 'invalid',
      message: expect.stringContaining('is bad'),
    });
  });

  it('with an agent that cannot be loaded', async () => {
    const queue = await testQueue();
    const { db, config } = queue.runtime;
    const { outcome } = startAttempt(await queue.running(), {
      db,
      clock: queue.clock,
      redact: (text) => text,
      dataDir: config.dataDir,
      loadAgent: () => Promise.reject(new Error('Cannot find module')),
      stopGraceMs: 100,
    });
    expect(await outcome).toMatchObject({ kind: 'failed', code: 'internal', message: 'Cannot find module' });
  });

  it('postponed, when nothing could be tried', async () => {
    const queue = await testQueue();
    const { outcome } = attempt(queue, await queue.running(), () => Promise.reject(new Postponed('Later.', 7_000)));
    expect(await outcome).toMatchObject({ kind: 'postponed', message: 'Later.', retryAfterMs: 7_000 });
  });
});

describe('an attempt that is stopped', () => {
  it.each([
    ['cancelled', 'cancelled'],
    ['timeout', 'failed'],
    ['ending', 'postponed'],
  ] as const)('because of %s ends so, with what it had', async (reason, kind) => {
    const queue = await testQueue();
    let hasBegun = false;
    const running = attempt(queue, await queue.running(), async (context) => {
      context.output('So far.');
      context.usage({ model: 'm', inputTokens: 3, outputTokens: 2 });
      hasBegun = true;
      await sleep(10_000, undefined, { signal: context.signal });
    });
    await eventually('it has begun', () => hasBegun);
    running.stop(reason);
    expect(await running.outcome).toMatchObject({ kind, output: 'So far.', inputTokens: 3, outputTokens: 2 });
    expect(running.isStuck).toBe(false);
  });

  it('counts only the first reason', async () => {
    const queue = await testQueue();
    const running = attempt(queue, await queue.running(), never);
    running.stop('cancelled');
    running.stop('ending');
    expect(await running.outcome).toMatchObject({ kind: 'cancelled' });
  });

  it('is done if it was done before the stop reached it', async () => {
    const queue = await testQueue();
    const running = attempt(queue, await queue.running(), async () => {
      await sleep(30);
      return 'done';
    });
    running.stop('cancelled');
    expect(await running.outcome).toMatchObject({ kind: 'completed', result: 'done' });
  });

  it('has failed for its own reason if it failed before, whatever comes while that is written down', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const release = await holdLock(queue.runtime);
    let hasFailed = false;
    const running = attempt(queue, job, async (context) => {
      context.log('info', 'a last note');
      hasFailed = true;
      throw new AgentError('BAD', 'Bad data.');
    });
    await eventually('it has failed', () => hasFailed);
    setImmediate(() => {
      running.stop('ending');
      release();
    });
    expect(await running.outcome).toMatchObject({ kind: 'failed', code: 'BAD' });
  });

  it('and does not, is stuck', async () => {
    const queue = await testQueue();
    const running = attempt(queue, await queue.running(), never);
    running.stop('timeout');
    expect(await running.outcome).toMatchObject({ kind: 'failed', code: 'timeout' });
    expect(running.isStuck).toBe(true);
  });

  it('because another has taken over has nothing to write', async () => {
    const queue = await testQueue();
    const running = attempt(queue, await queue.running(), never);
    running.stop('superseded');
    expect(await running.outcome).toBe('superseded');
  });
});

describe('what an agent notes', () => {
  it('can be read while it works: text, progress, log lines without secrets', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const running = attempt(queue, job, async (context) => {
      context.output('One ');
      context.output('two');
      context.progress(0.5, 'half of it');
      context.log('warn', 'saw known-secret', { header: 'Bearer abcdefghijkl' } satisfies JsonObject);
      await sleep(10_000, undefined, { signal: context.signal });
    });
    await eventually('the text is there', () => queue.jobs.output(job.id));
    expect(await queue.jobs.output(job.id)).toBe('One two');
    expect(await queue.jobs.get(job.id)).toMatchObject({ progress: 0.5, progressMessage: 'half of it' });
    expect(await queue.jobs.logs(job.id, 5)).toMatchObject([
      { level: 'warn', message: 'saw [redacted]', fields: '{"header":"[redacted]"}' },
    ]);
    running.stop('cancelled');
    await running.outcome;
  });

  it('that is out of range is brought into it', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await attempt(queue, job, async (context) => context.progress(Number.NaN)).outcome;
    expect((await queue.row(job.id)).progress).toBe(0);
    const next = await queue.running();
    await attempt(queue, next, async (context) => context.progress(17)).outcome;
    expect((await queue.row(next.id)).progress).toBe(1);
  });

  it('is bounded, and says once what was left out: output, log lines, warnings', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const { outcome } = attempt(queue, job, async (context) => {
      for (let part = 0; part < 30; part++) context.output('x'.repeat(1_000_000));
      for (let entry = 0; entry < 10_100; entry++) context.log('info', `entry ${entry}`);
      for (let warning = 0; warning < 200; warning++) context.warn(`warning ${warning}`);
    });
    const { output = '', warnings = [] } = (await outcome) as { output?: string; warnings?: string[] };
    expect(output).toHaveLength(20_000_000);
    expect(warnings.filter((text) => text.startsWith('The output has more'))).toHaveLength(1);
    expect(warnings.filter((text) => text.startsWith('The log has more'))).toHaveLength(1);
    expect(warnings.length).toBeLessThanOrEqual(100);
    const logs = await queue.jobs.logs(job.id, 20_000);
    expect(logs).toHaveLength(10_000);
  });

  it('begins anew when it says so', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const running = attempt(queue, job, async (context) => {
      context.output('Wrong start. ');
      await eventually('the start is there', () => queue.jobs.output(job.id));
      context.restartOutput();
      context.output('Right.');
      await sleep(10_000, undefined, { signal: context.signal });
    });
    await eventually('it has begun anew', async () => (await queue.jobs.output(job.id)) === 'Right.');
    running.stop('cancelled');
    expect(await running.outcome).toMatchObject({ output: 'Right.' });
  });

  it('waits while the database is locked, and is complete afterwards', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const release = await holdLock(queue.runtime);
    let said = 0;
    const running = attempt(queue, job, async (context) => {
      for (const word of ['One ', 'two ', 'three.']) {
        context.output(word);
        context.log('info', word);
        said++;
        await sleep(300);
      }
      await sleep(10_000, undefined, { signal: context.signal });
    });
    await eventually('all was said', () => said === 3);
    release();
    await eventually('all is there', async () => (await queue.jobs.output(job.id)) === 'One two three.');
    expect(await queue.jobs.logs(job.id, 5)).toHaveLength(3);
    running.stop('cancelled');
    await running.outcome;
  });

  it('leaves no trace once another attempt has taken over', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    let artifact: unknown;
    let takenOver = () => {};
    const until = new Promise<void>((resolve) => {
      takenOver = resolve;
    });
    const running = attempt(queue, job, async (context) => {
      await until;
      context.output('From the dead. ');
      context.progress(0.9);
      context.log('info', 'still here');
      artifact = await context.saveArtifact('model.json', '{}').catch((error: unknown) => error);
      return 'late';
    });
    await queue.finish(job, failing(true));
    queue.clock.pass(10_000);
    const second = await queue.take(await queue.runner());
    takenOver();
    await running.outcome;
    expect(await queue.jobs.output(job.id)).toBe('');
    expect(await queue.jobs.logs(job.id, 5)).toEqual([]);
    expect((await queue.row(job.id)).progress).toBeNull();
    expect(artifact).toMatchObject({ code: 'SUPERSEDED' });
    expect(await queue.runtime.db.all('select * from job_artifacts')).toEqual([]);
    await queue.finish(second, completed);
  });
});

describe('a file that an agent leaves', () => {
  it('is private, listed on the job with its size and hash, and replaced by one of the same name', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const { outcome } = attempt(queue, job, async (context) => {
      await context.saveArtifact('model.json', '{"old":true}');
      return context.saveArtifact('model.json', Buffer.from('{}'));
    });
    expect(await outcome).toMatchObject({ kind: 'completed', result: { name: 'model.json', sizeBytes: 2 } });
    const [{ path = '' } = {}] = await queue.runtime.jobs.artifacts(job.id);
    expect(path).toContain(join(queue.runtime.config.dataDir, isOnPostgres ? 'copies' : 'artifacts', job.id));
    expect(await outcome).toMatchObject({ result: { path } });
    expect(readFileSync(path, 'utf8')).toBe('{}');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await queue.runtime.db.all('select name, size_bytes from job_artifacts')).toEqual([
      { name: 'model.json', size_bytes: 2 },
    ]);
  });

  it.each(['../escape', 'a/b', '.hidden', '', '..'])('needs a plain name, which %j is not', async (name) => {
    const queue = await testQueue();
    const { outcome } = attempt(queue, await queue.running(), (context) => context.saveArtifact(name, ''));
    expect(await outcome).toMatchObject({ kind: 'failed', code: 'INVALID_ARTIFACT' });
  });
});
