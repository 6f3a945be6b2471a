import { describe, expect, it } from 'vitest';
import type { JobRequest } from '../../src/services/submit-job.js';
import { type Grid, submitJobs } from '../../src/services/submit-jobs.js';
import { session } from '../core/jobs/queue.js';
import { testRuntime } from '../support/test-runtime.js';

/** Never due, so that no process is started for them. */
const never = Date.parse('2099-01-01T00:00:00Z');
const request = (payload: JobRequest['payload'], more: Partial<JobRequest> = {}): JobRequest => ({
  type: 'backtest',
  payload: { strategy: 'mean_reversion', ticker: 'A', ...payload },
  run_at: never,
  ...more,
});

async function submitter() {
  const runtime = await testRuntime();
  return {
    runtime,
    submit: (requests: JobRequest[], grid?: Grid) => submitJobs(requests, grid, session, runtime),
    stored: () => runtime.jobs.list({ limit: 300 }),
  };
}

it('a grid becomes a job for each combination, which all carry the id of the sweep', async () => {
  const { submit, stored, runtime } = await submitter();
  const grid = { 'params.window': [10, 20], commission: [0, 0.01, 0.02] };
  const { sweep, jobs } = await submit([request({ params: { entry_z: 1 } }, { metadata: { user: 'ada' } })], grid);
  expect(jobs.map(({ parameters }) => parameters)).toEqual(
    [10, 20].flatMap((window) => [0, 0.01, 0.02].map((commission) => ({ 'params.window': window, commission }))),
  );
  expect(jobs[4]?.job.payload).toMatchObject({ params: { entry_z: 1, window: 20 }, commission: 0.01 });
  expect(sweep).toMatch(/^sweep-[0-9a-f]{12}$/);
  for (const job of await stored()) expect(job).toMatchObject({ sweep, metadata: { user: 'ada', sweep } });
  expect(await runtime.jobs.list({ sweep, limit: 10 })).toHaveLength(6);
});

it('a plain list is no sweep', async () => {
  const { submit, stored } = await submitter();
  const { sweep, jobs } = await submit([request({}), { type: 'generic', payload: { a: 1 }, run_at: never }]);
  expect([sweep, jobs.map(({ job }) => job.type)]).toEqual([undefined, ['backtest', 'generic']]);
  expect((await stored()).map(({ sweep: of }) => of)).toEqual([null, null]);
});

describe('nothing is submitted when', () => {
  it.each<[string, JobRequest[], Grid | undefined, string]>([
    ['one payload is wrong', [request({}), request({ commission: 2 })], undefined, 'jobs[1]: The payload is not'],
    ['one point is wrong', [request({})], { commission: [0, 2] }, '{"commission":2}: The payload is not'],
    ['a name is unknown', [request({})], { comission: [0] }, '{"comission":0}: The payload is not'],
    ['a name has no value', [request({})], { commission: [] }, 'The grid has no value for commission.'],
    [
      'there are too many',
      [request({})],
      { commission: Array.from({ length: 201 }, (_, index) => index / 1000) },
      'more than 200 combinations',
    ],
    [
      'a dependency is unknown, found only while they are stored',
      [request({}), request({}, { depends_on: ['nope'] })],
      undefined,
      'No background task or job has id nope',
    ],
  ])('%s', async (_, requests, grid, words) => {
    const { submit, stored } = await submitter();
    await expect(submit(requests, grid)).rejects.toThrow(words);
    expect(await stored()).toEqual([]);
  });
});

it('an idempotency key makes the same sweep of a repeated call', async () => {
  const { submit, stored } = await submitter();
  const again = () => submit([request({}, { idempotency_key: 'nightly' })], { commission: [0, 0.01] });
  const [first, second] = [await again(), await again()];
  expect(first.sweep).toBe('sweep-nightly');
  expect(second.jobs.map(({ job, isRepeated }) => [job.id, isRepeated])).toEqual(
    first.jobs.map(({ job }) => [job.id, true]),
  );
  expect(await stored()).toHaveLength(2);
});

it('a sweep is cancelled as a whole, and nothing else', async () => {
  const { submit, stored, runtime } = await submitter();
  const { sweep = '' } = await submit([request({})], { commission: [0, 0.01, 0.02] });
  const other = await submit([request({})]);
  expect(await runtime.jobs.cancelSweep(sweep, session)).toBe(3);
  expect((await stored()).filter(({ status }) => status === 'pending').map(({ id }) => id)).toEqual([
    other.jobs[0]?.job.id,
  ]);
  expect(await runtime.jobs.cancelSweep(sweep, session)).toBe(0);
  await expect(runtime.jobs.cancelSweep('sweep-none', session)).rejects.toMatchObject({ code: 'not_found' });
});
