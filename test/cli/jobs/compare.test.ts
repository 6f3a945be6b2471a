import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { jobCli } from './job-cli.js';

it('a sweep is submitted, compared as a table and cancelled', async () => {
  const { run } = jobCli();
  const grid = '{"epochs": [2, 40], "learning_rate": [0, 0.05]}';
  const config = '{"dataset": "iris", "batch_size": 30}';
  const submitted = await run(['submit', '--type', 'ml_experiment', '--config', config, '--grid', grid]);
  expect([submitted.code, submitted.stdout]).toEqual([
    0,
    expect.stringMatching(/^4 jobs submitted: sweep-[0-9a-f]{12}\n$/),
  ]);
  const sweep = /sweep-\w+/.exec(submitted.stdout)?.[0] ?? '';
  const compared = await eventually('all four have ended', async () => {
    const comparison = (await run(['compare', sweep, '--json'])).json();
    return comparison.jobs.every(({ status }: { status: string }) => status === 'completed') && comparison;
  });
  expect(compared.jobs[0].parameters).toEqual({ epochs: 40, learning_rate: 0.05 });
  expect(compared.same).toMatchObject({ dataset: 'iris', batch_size: 30 });
  const best = await run(['compare', sweep, '--where', 'learning_rate>0', '--figure', 'final_loss', '--json']);
  expect(best.json()).toMatchObject({ total: 2, jobs: [{ best: ['final_loss'], parameters: { epochs: 40 } }, {}] });
  const cancelled = await run(['cancel', sweep, '--json']);
  expect(cancelled.json()).toEqual({ job_id: sweep, status: 'cancelled', cancelled: true, count: 0 });
  const unknown = await run(['compare', 'sweep-none']);
  expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('There is no sweep sweep-none.')]);
});
