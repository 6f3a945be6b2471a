import { expect, it } from 'vitest';
import { isOnPostgres } from '../../support/postgres.js';
import { completed, keyOf, type Queue, session, testQueue } from './queue.js';

/** Two runners, the first of which takes its turns in haste, and more jobs than they work on. */
async function twoRunners() {
  const queue = await testQueue();
  for (let count = 0; count < 8; count++) await queue.submit();
  const [hasty, other] = [await queue.runner(), await queue.runner()];
  return { queue, hasty, other, turn: (isEnough: boolean) => takeTurn(queue, hasty, isEnough) };
}

/** Ends what the runner has, and has it take one more. */
async function takeTurn({ jobs, runtime }: Queue, runner: string, isEnough: boolean): Promise<void> {
  const job = await runtime.db.get<never>("select * from jobs where runner_id = ? and status = 'running'", runner);
  const ended = job === undefined ? [] : [{ key: keyOf(job), outcome: completed, job }];
  expect((await jobs.turn(runner, ended, 1, { isEnough })).next).toMatchObject({ do: 'run', jobs: [{}] });
}

it.skipIf(isOnPostgres)(
  'beside a runner that does jobs as fast as they are written others rest, and none is started',
  async () => {
    const { queue, hasty, other, turn } = await twoRunners();
    await turn(true);
    expect(await queue.jobs.nextStep(other)).toEqual({ do: 'rest' });
    expect(await queue.jobs.isSpared('call', other)).toBe(true);
    expect(await queue.jobs.hasReady('call', other)).toBe(false);
    expect(await queue.jobs.permitRunner(session)).toBeUndefined();
    expect((await queue.jobs.submit({ type: 'generic', payload: {} }, session)).runnerId).toBeUndefined();
    // Not for itself.
    expect(await queue.jobs.isSpared('call', hasty)).toBe(false);
    await turn(true);
  },
);

it('a runner goes on at once when the jobs of the other are not as short any more, and when that leaves or falls silent', async () => {
  const { queue, hasty, other, turn } = await twoRunners();
  const mayGoOn = async () => {
    expect(await queue.jobs.isSpared('call', other)).toBe(false);
    await takeTurn(queue, other, false);
    const job = await queue.runtime.db.get<never>('select * from jobs where runner_id = ?', other);
    if (job) await queue.finish(job, completed);
  };
  await turn(true);
  await turn(false);
  await mayGoOn();
  await turn(true);
  // As one does that was killed or stopped.
  queue.clock.pass(501);
  await mayGoOn();
  await turn(true);
  await queue.jobs.markLost(hasty, 'it is gone');
  await mayGoOn();
});

it('a runner rests for none that could not do its jobs: of another lane, of other abilities, or of another worker', async () => {
  const { queue, hasty, other, turn } = await twoRunners();
  await turn(true);
  expect(await queue.jobs.isSpared('process', other)).toBe(false);
  for (const change of ["worker_id = 'w'", "ability = 'less'", 'capacity = 0', "created_boot_id = 'earlier'"]) {
    await turn(true);
    await queue.runtime.db.run(`update runners set ${change} where id = ?`, hasty);
    expect(await queue.jobs.isSpared('call', other), change).toBe(false);
    await queue.runtime.db.run(
      'update runners set (worker_id, ability, capacity, created_boot_id) = (select worker_id, ability, capacity, created_boot_id from runners where id = ?) where id = ?',
      other,
      hasty,
    );
  }
});

it.skipIf(!isOnPostgres)('on a server, where several write at once, none is ever enough', async () => {
  const { queue, other, turn } = await twoRunners();
  await turn(true);
  expect(await queue.jobs.isSpared('call', other)).toBe(false);
});
