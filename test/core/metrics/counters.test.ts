import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { count, observe, raise } from '../../../src/core/metrics/counters.js';
import { purge } from '../../../src/core/retention/purge.js';
import { showMetrics } from '../../../src/tools/shapes/metrics.js';
import { buildChild, startChild } from '../../support/child.js';
import { projectRoot } from '../../support/paths.js';
import { databaseEnv } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';
import { completed, failing, testQueue } from '../jobs/queue.js';
import { samplesOf } from './samples.js';

const day = 86_400_000;

describe('counters', () => {
  it('stay as they are when what they counted is purged', async () => {
    const queue = await testQueue();
    const { db } = queue.runtime;
    await queue.finish(await queue.running(), completed);
    await queue.finish(await queue.running(), failing(false));
    const before = await samplesOf(db);
    expect(before).toMatchObject({
      'jobs_submitted_total{type=generic}': 2,
      'jobs_started_total{type=generic}': 2,
      'jobs_finished_total{type=generic,status=completed}': 1,
      'jobs_finished_total{type=generic,status=failed}': 1,
      'job_errors_total{type=generic,code=auth}': 1,
      'job_duration_seconds_count{type=generic,status=completed}': 1,
    });
    queue.clock.pass(2 * day);
    expect(await purge(db, queue.clock.now() - day, { at: queue.clock.now() })).toMatchObject({ jobs: 2 });
    expect(await samplesOf(db)).toEqual(before);
  });

  it('of two processes add up, tool calls counted in memory among them', async () => {
    const home = tempDir();
    const child = await buildChild(join(projectRoot, 'test/core/metrics/children/submit.ts'));
    const env = await databaseEnv(home);
    const children = ['40', '60'].map((count) => startChild(child, [home, count], env));
    for (const { code, stderr } of await Promise.all(children.map(({ ended }) => ended))) {
      expect([code, stderr]).toEqual([0, '']);
    }
    const runtime = await testRuntime({ home });
    expect(await samplesOf(runtime.db)).toMatchObject({
      'jobs_submitted_total{type=generic}': 100,
      'jobs_finished_total{type=generic,status=cancelled}': 100,
      'tool_calls_total{tool=get_task,status=ok}': 100,
    });
  });

  it('count nothing of a transaction that fails', async () => {
    const queue = await testQueue();
    const { db } = queue.runtime;
    const submission = db.transaction(async (sql) => {
      await raise(sql, [count('jobs_submitted_total', { type: 'generic' })]);
      throw new Error('no');
    });
    await expect(submission).rejects.toThrow('no');
    await expect(queue.submit({ dependsOn: ['no-such-job'] })).rejects.toThrow();
    expect(await samplesOf(db)).not.toHaveProperty('jobs_submitted_total{type=generic}');
  });

  it('count a repeated submission once, and what a superseded attempt writes not at all', async () => {
    const queue = await testQueue();
    await queue.submit({ idempotencyKey: 'once' });
    await queue.submit({ idempotencyKey: 'once' });
    const job = await queue.take(await queue.runner());
    await queue.finish(job, completed);
    expect(await queue.finish(job, completed)).toBeUndefined();
    expect(await samplesOf(queue.runtime.db)).toMatchObject({
      'jobs_submitted_total{type=generic}': 1,
      'jobs_finished_total{type=generic,status=completed}': 1,
    });
  });

  it('raise the same one twice in one statement by both', async () => {
    const { db } = await testRuntime();
    const call = count('tool_calls_total', { tool: 'get_task', status: 'ok' });
    await db.transaction((sql) => raise(sql, [call, call]));
    expect(await samplesOf(db)).toMatchObject({ 'tool_calls_total{tool=get_task,status=ok}': 2 });
  });

  it('take no label of any length or form from others', async () => {
    const { db } = await testRuntime();
    const codes = ['x'.repeat(101), 'two words', 'quote"', 'TICKER_UNKNOWN'];
    await db.transaction((sql) =>
      raise(
        sql,
        codes.map((code) => count('job_errors_total', { type: 'generic', code })),
      ),
    );
    const counted = Object.entries(await samplesOf(db)).filter(([name]) => name.startsWith('job_errors_total'));
    expect(Object.fromEntries(counted)).toEqual({
      'job_errors_total{type=generic,code=other}': 3,
      'job_errors_total{type=generic,code=TICKER_UNKNOWN}': 1,
    });
  });
});

describe('a job that runs', () => {
  it('counts as started from its claim on, and once when it has ended', async () => {
    const queue = await testQueue();
    const started = async () => {
      const samples = await samplesOf(queue.runtime.db);
      return [samples['jobs_started_total{type=generic}'], samples['job_queue_wait_seconds_count{type=generic}']];
    };
    await queue.submit();
    const runner = await queue.runner();
    queue.clock.pass(2_000);
    const first = await queue.take(runner);
    expect(await started()).toEqual([1, 1]);
    await queue.finish(first, failing(true));
    expect(await started()).toEqual([1, 1]);
    queue.clock.pass(60_000);
    await queue.take(runner);
    expect(await started()).toEqual([2, 2]);
    expect(await samplesOf(queue.runtime.db)).toMatchObject({
      'jobs_running{type=generic}': 1,
      'agent_busy{agent=generic}': 1,
      'agent_slots{agent=generic}': 4,
      'queue_depth{type=generic}': 0,
      // A try that will be repeated is an error, and no end.
      'job_errors_total{type=generic,code=overloaded}': 1,
    });
  });

  it('has waited since it could start: since the last of its dependencies was done, or since it was due', async () => {
    const queue = await testQueue();
    const waits = async () => (await samplesOf(queue.runtime.db))['job_queue_wait_seconds_sum{type=generic}'];
    const first = await queue.running();
    const runAt = queue.clock.now() + 100_000;
    await queue.submit({ dependsOn: [first.id] });
    queue.clock.pass(50_000);
    await queue.finish(first, completed);
    queue.clock.pass(3_000);
    await queue.take(await queue.runner());
    expect(await waits()).toBe(3);
    await queue.submit({ runAt });
    queue.clock.pass(runAt - queue.clock.now() + 7_000);
    await queue.take(await queue.runner());
    expect(await waits()).toBe(10);
  });

  it('takes no negative time when the clock is set back meanwhile', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    queue.clock.stepWallClock(-3_600_000);
    await queue.finish(job, completed);
    expect(await samplesOf(queue.runtime.db)).toMatchObject({
      'job_duration_seconds_sum{type=generic,status=completed}': 0,
      'job_duration_seconds_bucket{type=generic,status=completed,le=0.1}': 1,
      'agent_busy_seconds_total{agent=generic}': 0,
    });
  });

  it('and is lost with its runner counts as an error with that code', async () => {
    const queue = await testQueue();
    await queue.running({ maxAttempts: 1 });
    queue.liveness.set(101, 'dead');
    await queue.rescue();
    expect(await samplesOf(queue.runtime.db)).toMatchObject({
      'job_errors_total{type=generic,code=runner_lost}': 1,
      'jobs_finished_total{type=generic,status=failed}': 1,
    });
  });

  it('takes those that depend on it with it when it fails, each counted as cancelled', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    for (let dependent = 0; dependent < 3; dependent++) await queue.submit({ dependsOn: [job.id] });
    await queue.finish(job, failing(false));
    expect(await samplesOf(queue.runtime.db)).toMatchObject({
      'jobs_finished_total{type=generic,status=cancelled}': 3,
      'jobs_finished_total{type=generic,status=failed}': 1,
    });
  });
});

it('the buckets of a histogram are cumulative, and the last one holds all', async () => {
  const { db } = await testRuntime();
  const times = [0, 0.1, 0.100_1, 0.5, 4, 15, 16, 3_600, 3_601, 1e9];
  const labels = { type: 'generic', status: 'completed' };
  await db.transaction((sql) =>
    raise(
      sql,
      times.flatMap((seconds) => observe('job_duration_seconds', labels, seconds)),
    ),
  );
  const samples = await samplesOf(db);
  const bucket = (end: string) => samples[`job_duration_seconds_bucket{type=generic,status=completed,le=${end}}`];
  const ends = ['0.1', '0.5', '1', '5', '15', '60', '300', '900', '3600', '+Inf'];
  expect(ends.map(bucket)).toEqual([2, 4, 4, 5, 6, 7, 7, 7, 8, 10]);
  expect(samples['job_duration_seconds_count{type=generic,status=completed}']).toBe(10);
  const sum = samples['job_duration_seconds_sum{type=generic,status=completed}'];
  expect(sum).toBeCloseTo(
    times.reduce((total, seconds) => total + seconds, 0),
    3,
  );
});

it('breakers show their state, an instance apart from its server', async () => {
  const { db, breakers } = await testRuntime();
  for (const id of ['researcher', 'llm:anthropic', 'server:github#2', 'odd#']) await breakers.acquire(id);
  await db.run("update breakers set state = 'open' where id = 'llm:anthropic'");
  expect(await samplesOf(db)).toMatchObject({
    'circuit_state{tool=researcher,instance=}': 0,
    'circuit_state{tool=llm:anthropic,instance=}': 2,
    'circuit_state{tool=server:github,instance=2}': 0,
    'circuit_state{tool=odd#,instance=}': 0,
  });
});

it('tool calls that could not be written yet are written the next time', async () => {
  const { db, metrics } = await testRuntime();
  const { transaction } = db;
  metrics.countToolCall('get_task', 'ok');
  Object.assign(db, { transaction: () => Promise.reject(new Error('locked')) });
  await expect(metrics.flush()).rejects.toThrow('locked');
  Object.assign(db, { transaction });
  metrics.countToolCall('get_task', 'ok');
  metrics.countToolCall('get_task', 'not_found');
  await metrics.flush();
  await metrics.flush();
  expect(await samplesOf(db)).toMatchObject({
    'tool_calls_total{tool=get_task,status=ok}': 2,
    'tool_calls_total{tool=get_task,status=not_found}': 1,
  });
});

it('the depth of a queue is what could run now: a job that is not due, or behind another, waits apart', async () => {
  const queue = await testQueue();
  const figures = async () => {
    const samples = await samplesOf(queue.runtime.db, queue.clock.now());
    const { types, queue_depth } = showMetrics(await queue.runtime.metrics.summary(3_600_000));
    const of = (type: string) => [samples[`queue_depth{type=${type}}`], samples[`jobs_waiting{type=${type}}`]];
    return { generic: of('generic'), llm: of('llm'), queue_depth, queued: types.map(({ queued }) => queued) };
  };
  const first = await queue.submit();
  await queue.submit({ dependsOn: [first.id] });
  await queue.submit({ type: 'llm', payload: {}, runAt: queue.clock.now() + 60_000 });
  await queue.submit({ type: 'llm', payload: {}, delayMs: 120_000 });
  expect(await figures()).toEqual({ generic: [1, 1], llm: [0, 2], queue_depth: 1, queued: [2, 2] });
  queue.clock.pass(60_000);
  expect(await figures()).toEqual({ generic: [1, 1], llm: [1, 1], queue_depth: 2, queued: [2, 2] });
});
