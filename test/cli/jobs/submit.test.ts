import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { testRuntime } from '../../support/test-runtime.js';
import { jobCli, long } from './job-cli.js';

it('every option reaches the job', async () => {
  const { run, submit, home } = jobCli();
  const first = await submit('generic', { n: 1 });
  const second = await submit('generic', { n: 2 }, '--run-at', '2999-01-01T00:00:00+01:00');
  const options = ['--priority', '9', '--depends-on', first, '--depends-on', second, '--max-attempts', '2'];
  const keys = ['--concurrency-key', 'gpu', '--concurrency-limit', '2', '--unique-key', 'one'];
  const id = await submit('generic', {}, ...options, ...keys, '--timeout', '60', '--metadata', '{"user": "ann"}');
  const { db, jobs } = await testRuntime({ home });
  const columns = 'concurrency_key, concurrency_limit, unique_key';
  expect(await db.get(`select ${columns} from jobs where id = ?`, id)).toMatchObject({
    concurrency_key: 'gpu',
    concurrency_limit: 2,
    unique_key: 'one',
  });
  expect(await jobs.get(id)).toMatchObject({
    priority: 9,
    maxAttempts: 2,
    timeoutSeconds: 60,
    metadata: { user: 'ann' },
    status: 'pending',
  });
  expect(new Set(await jobs.dependsOn(id))).toEqual(new Set([first, second]));
  expect((await jobs.get(second)).runAt).toBe(Date.parse('2998-12-31T23:00:00Z'));
  expect((await run(['cancel', '--job-id', second])).code).toBe(0);
  expect(await jobs.get(id)).toMatchObject({ status: 'cancelled', errorMessage: expect.stringContaining(second) });
});

it('the same idempotency key returns the same job, or a conflict if the request differs', async () => {
  const { run } = jobCli();
  const args = (n: number) => [
    'submit',
    '--type',
    'generic',
    '--config',
    `{"n": ${n}}`,
    '--idempotency-key',
    'nightly=1',
  ];
  const first = await run([...args(1), '--json']);
  const again = await run(args(1));
  expect(again.stdout).toBe(`Job submitted successfully: ${first.json().job_id}\n`);
  expect(again.stderr).toContain('submitted with this key before');
  const other = await run(args(2));
  expect([other.code, other.stderr]).toEqual([4, expect.stringContaining('nightly=1')]);
  expect((await run(['list-jobs'])).json()).toHaveLength(1);
});

it('Ctrl-C while it waits leaves the job running, and a program still gets its id', async () => {
  const { run, start, status } = jobCli();
  const args = ['submit', '--type', 'ml_experiment', '--config', JSON.stringify(long), '--wait'];
  const waiting = start([...args, '--json']);
  await eventually('it waits', () => waiting.stderr().includes('running'));
  waiting.child.kill('SIGINT');
  const end = await waiting.ended;
  expect(end.code).toBe(130);
  expect(end.json()).toMatchObject({ status: 'running', type: 'ml_experiment' });
  expect((await status(end.json().id)).status).toBe('running');
  await run(['cancel', '--job-id', end.json().id]);
});
