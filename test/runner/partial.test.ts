import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { background, session } from './fixtures/background.js';

it('a training that is cancelled keeps its epochs and its network, and is cancelled all the same', async () => {
  const { give, jobs } = await background();
  const payload = {
    model: 'neural',
    dataset: 'iris',
    epochs: 10_000,
    batch_size: 1,
    hidden: 512,
    learning_rate: 0.001,
  };
  const id = await give('ml_experiment', payload);
  await eventually('an epoch has been logged', async () =>
    (await jobs.logs(id, 5)).some(({ message }) => message === 'epoch done'),
  );
  const job = await jobs.cancel(id, session);
  expect(job).toMatchObject({ status: 'cancelled', errorCode: 'cancelled' });
  const result = job.result as { epochs_run: number; history: unknown[] };
  expect(result).toMatchObject({ partial: true, dataset: 'iris', checkpoint: { file: 'checkpoint.json' } });
  expect(result.history).toHaveLength(result.epochs_run);
  expect((await jobs.artifacts(id)).map(({ name }) => name)).toEqual(['checkpoint.json']);
  // A new try begins without it.
  expect(await jobs.retry(id, {}, session)).toMatchObject({ result: null });
  await jobs.cancel(id, session);
});
