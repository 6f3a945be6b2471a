import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import type { NewJob } from '../../src/core/jobs/submit-job.js';
import { type ComparisonRequest, compareJobs } from '../../src/services/compare-jobs.js';
import { type Queue, testQueue } from '../core/jobs/queue.js';

async function ran(queue: Queue, payload: JsonObject, result: JsonObject, more: Partial<NewJob> = {}): Promise<string> {
  const job = await queue.running({ type: 'generic', payload, ...more });
  await queue.finish(job, { kind: 'completed', result });
  return job.id;
}

/** Three trainings of a sweep, and one that has not run. */
async function sweep() {
  const queue = await testQueue();
  const more = { sweep: 'sweep-a', metadata: { user: 'ada', sweep: 'sweep-a' } };
  const train = (rate: number, accuracy: number, loss: number) => {
    const result = { params: { learning_rate: rate, epochs: 5 }, final_accuracy: accuracy, final_loss: loss };
    return ran(queue, { dataset: 'iris', learning_rate: rate }, { ...result, history: [{ epoch: 1, loss: 9 }] }, more);
  };
  const ids = [await train(0.001, 0.5, 2), await train(0.01, 0.9, 0.3), await train(0.1, 0.8, 0.2)];
  const open = await queue.submit({ type: 'generic', payload: { dataset: 'iris', learning_rate: 1 }, ...more });
  const compare = (request: Partial<ComparisonRequest> = { sweep: 'sweep-a' }) =>
    compareJobs({ limit: 20, ...request }, queue.jobs);
  return { queue, ids, open, compare };
}

it('a sweep is ranked by its usual figures, the best on top and marked, with what differs apart from what is shared', async () => {
  const { ids, open, compare } = await sweep();
  const { jobs, figures, same, total } = await compare();
  expect(jobs.map(({ id }) => id)).toEqual([ids[1], ids[2], ids[0], open.id]);
  expect(jobs[0]).toMatchObject({
    parameters: { learning_rate: 0.01 },
    figures: { final_accuracy: 0.9, final_loss: 0.3 },
    best: ['final_accuracy'],
  });
  expect(jobs.map(({ best }) => best)).toEqual([['final_accuracy'], ['final_loss'], [], []]);
  expect(jobs[3]).toMatchObject({ status: 'pending', figures: {} });
  expect(figures).toEqual([
    { name: 'final_accuracy', isLessBetter: false },
    { name: 'final_loss', isLessBetter: true },
  ]);
  expect([same, total]).toEqual([{ dataset: 'iris' }, 4]);
});

describe('figures of the caller', () => {
  it('rank, less being better where they say so or by their name', async () => {
    const { ids, compare } = await sweep();
    const order = async (figure: string) =>
      (await compare({ jobIds: ids, figures: [figure] })).jobs.map(({ id }) => ids.indexOf(id));
    expect(await order('final_loss')).toEqual([2, 1, 0]);
    expect(await order('-final_accuracy')).toEqual([0, 2, 1]);
  });

  it('that no job has are refused with a near one', async () => {
    const { compare } = await sweep();
    await expect(compare({ sweep: 'sweep-a', figures: ['final_acuracy'] })).rejects.toMatchObject({
      code: 'invalid',
      message: 'None of these jobs has final_acuracy.',
      hint: 'Did you mean final_accuracy?',
    });
  });
});

describe('conditions', () => {
  it.each([
    ['learning_rate>=0.01', 3],
    ['learning_rate<0.01', 1],
    ['final_accuracy>0.6', 2],
    ['metadata.user=ada', 4],
    ['metadata.user!=ada', 0],
    ['status=completed', 3],
    ['dataset=iris', 4],
  ])('%s leaves %i of 4', async (condition, count) => {
    const { compare } = await sweep();
    expect((await compare({ type: 'generic', where: [condition] })).total).toBe(count);
  });

  it.each([
    ['learning_rate', '"learning_rate" is no condition.'],
    ['learning_rate>', '"learning_rate>" is no condition.'],
    ['dataset>iris', 'compares with iris, not a number'],
    ['learning_rat>1', 'None of these jobs has learning_rat.'],
  ])('%s is refused', async (condition, words) => {
    const { compare } = await sweep();
    await expect(compare({ sweep: 'sweep-a', where: [condition] })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(words),
    });
  });
});

it('defaults that an agent filled in stand beside the values that a caller gave', async () => {
  const queue = await testQueue();
  const ids = [
    await ran(queue, { params: { window: 10 } }, { params: { window: 10, entry_z: 2 }, sharpe: 1 }),
    await ran(queue, {}, { params: { window: 20, entry_z: 2 }, sharpe: 2 }),
  ];
  const { jobs, same } = await compareJobs({ jobIds: ids, limit: 5 }, queue.jobs);
  expect(jobs.map(({ parameters }) => parameters)).toEqual([{ window: 20 }, { window: 10 }]);
  expect(same).toEqual({ entry_z: 2 });
});

it('names no jobs, an unknown job or an unknown sweep are errors', async () => {
  const { compare } = await sweep();
  await expect(compare({})).rejects.toMatchObject({ code: 'invalid', hint: 'Give job_ids, sweep or type.' });
  await expect(compare({ jobIds: ['nope'] })).rejects.toMatchObject({ code: 'not_found' });
  await expect(compare({ sweep: 'sweep-b' })).rejects.toMatchObject({ code: 'not_found' });
  expect(await compare({ type: 'backtest' })).toMatchObject({ jobs: [], total: 0 });
});
