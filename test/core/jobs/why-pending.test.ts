import { expect, it } from 'vitest';
import { failing, testQueue } from './queue.js';

it('a pending job says which jobs it waits for', async () => {
  const queue = await testQueue();
  const [one, two] = [await queue.submit(), await queue.submit()];
  const { id } = await queue.submit({ dependsOn: [one.id, two.id] });
  await queue.take(await queue.runner());
  expect(await queue.jobs.why(id)).toBe(`It waits for job ${one.id} (running), ${two.id} (pending).`);
  expect(await queue.jobs.why(one.id)).toBeUndefined();
});

it('a pending job says for which time it waits, and why', async () => {
  const queue = await testQueue();
  const at = queue.clock.now() + 60_000;
  const later = await queue.submit({ runAt: at });
  expect(await queue.jobs.why(later.id)).toBe(`It was submitted to start at ${new Date(at).toISOString()}.`);
  const job = await queue.running();
  await queue.finish(job, failing(true));
  expect(await queue.jobs.why(job.id)).toMatch(
    /^Its attempt 1 ended with: Try again later\. The next one begins at 20/,
  );
});

it('a pending job says what its runner must have', async () => {
  const queue = await testQueue();
  const { id } = await queue.submit({ type: 'report', requires: 'module:/home/me/report.mjs' });
  expect(await queue.jobs.why(id)).toBe(
    'It waits for a session that has the module /home/me/report.mjs; this one does not.',
  );
});

it('a pending job says what it is behind', async () => {
  const queue = await testQueue({ maxRunning: 1 });
  await queue.running();
  const [next, last] = [await queue.submit(), await queue.submit({ priority: 1 })];
  expect(await queue.jobs.why(next.id)).toMatch(/^1 jobs are running, which is the most .*, and it is the next\.$/);
  expect(await queue.jobs.why(last.id)).toMatch(/, and 1 job is before it\.$/);
});
