import { expect, it } from 'vitest';
import { search } from '../../../src/core/overview/search.js';
import { jobStoreOf } from '../../support/job-store.js';
import { testRuntime } from '../../support/test-runtime.js';

const someone = { holder: null, project: '' };

it('finds all words in any order over every kind, with what surrounds them, and numbers of tasks', async () => {
  const runtime = await testRuntime();
  const { db, tasks, goals, relays, breakers, messages } = runtime;
  await goals.create({ name: 'Payments', description: 'in the shop, refunds too' }, someone);
  const created = await tasks.create(
    [
      { title: 'Refund an order' },
      { title: 'Other', description: `${'x'.repeat(100)} order of a REFUND` },
      { title: '100% Ärger' },
    ],
    someone,
  );
  const store = jobStoreOf(runtime);
  const { job } = await store.submit({ type: 'llm', payload: { prompt: 'Write about dogs' } }, someone);
  await db.run(
    'update jobs set output = ?, error_message = ? where id = ?',
    'Refunds are an ORDER',
    'too late',
    job.id,
  );
  await relays.create({ name: 'Handbook', goal: 'refunds by order', tokenBudget: 50_000, preset: 'quick' }, someone);
  await messages.send({ to: 'all', subject: 'Order', body: 'refund it' } as never, { ...someone, holder: 'session:1' });
  await breakers.trip('refund-order', { reason: 'test' }, someone);

  const of = async (text: string) =>
    Object.fromEntries((await search(db, text, 10)).map(({ kind, found }) => [kind, found.map(({ id }) => id)]));
  const ids = created.map(({ id }) => String(id));
  expect(await of('order refund')).toEqual({
    task: [ids[1], ids[0]],
    goal: [],
    job: [job.id],
    relay: [expect.any(String)],
    message: ['1'],
    breaker: ['refund-order'],
  });
  expect((await of(`#${ids[1]}`)).task).toEqual([ids[1]]);
  expect((await of(`${ids[2]}`)).task).toContain(ids[2]);
  expect((await of('#99')).task).toEqual([]);
  expect((await of('% ärger')).task).toEqual([ids[2]]);
  expect((await of('too late')).job).toEqual([job.id]);
  expect((await of(job.id.slice(0, 12))).job).toEqual([job.id]);
  expect(Object.values(await of('  ')).flat()).toEqual([]);
  const [found] = await search(db, 'refund', 1);
  expect(found).toMatchObject({
    kind: 'task',
    total: 2,
    found: [{ snippet: expect.stringContaining('order of a REFUND') }],
  });
});
