import { expect, it } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { keepAnswer, longestAgeMs, mostAnswers, mostCharacters } from '../../../src/downstream/native/answers.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const hour = 3_600_000;

async function kept() {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  let made = 0;
  const ask = (key: string, text = 'x') =>
    keepAnswer(runtime, { key, maxAgeMs: hour }, async () => {
      made++;
      return { text };
    });
  const count = async () => (await runtime.db.get<{ n: number }>('select count(*) as n from native_answers'))?.n;
  return { clock, runtime, ask, count, made: () => made };
}

it('an answer is made once within its time, and again after it', async () => {
  const { clock, ask, made } = await kept();
  expect(await ask('a')).toEqual({ text: 'x' });
  clock.pass(hour - 1);
  expect(await ask('a')).toEqual({ text: 'x', age_seconds: 3_599 });
  expect(made()).toBe(1);
  clock.pass(1);
  expect(await ask('a')).toEqual({ text: 'x' });
  expect(made()).toBe(2);
});

it('an error is not kept', async () => {
  const { runtime, ask, count } = await kept();
  const failing = keepAnswer(runtime, { key: 'a', maxAgeMs: hour }, () => Promise.reject(new Error('down')));
  await expect(failing).rejects.toThrow('down');
  expect(await count()).toBe(0);
  expect(await ask('a')).toEqual({ text: 'x' });
});

it('only the newest are kept, up to a number and a size', async () => {
  const { clock, runtime, ask, count, made } = await kept();
  await runtime.db.transaction(async (sql) => {
    for (let index = 0; index < mostAnswers; index++) {
      await sql.run("insert into native_answers values (?, '{}', 2, ?)", `old ${index}`, clock.now() - 1 - index);
    }
  });
  await ask('new');
  expect(await count()).toBe(mostAnswers);
  await ask('new');
  expect(made()).toBe(1);
  clock.pass(1);
  await ask('large', 'x'.repeat(mostCharacters - 100));
  expect(await count()).toBeLessThan(mostAnswers);
  clock.pass(1);
  await ask('large');
  expect(made()).toBe(2);
  await ask('too large', 'x'.repeat(mostCharacters));
  await ask('too large');
  expect(made()).toBe(4);
});

it('an answer that is never asked for again is deleted in the end', async () => {
  const { clock, ask, count } = await kept();
  await ask('a');
  clock.pass(longestAgeMs);
  await ask('b');
  expect(await count()).toBe(1);
});

it('an answer that cannot be stored is returned all the same', async () => {
  const { runtime, ask } = await kept();
  await runtime.db.run('drop table native_answers').catch(() => undefined);
  await runtime.db.run('create view native_answers as select null as key, null as answer, 0 as size, 0 as at where 0');
  expect(await ask('a')).toEqual({ text: 'x' });
});

it('a purge deletes those from before its time', async () => {
  const { clock, runtime, ask, count, made } = await kept();
  await ask('a');
  clock.pass(60_000);
  await ask('b');
  await runtime.maintenance.purge(clock.now(), nameSession({ project: '' }));
  expect(await count()).toBe(1);
  await ask('b');
  expect(made()).toBe(2);
});
