import { expect } from 'vitest';
import { hasEnded, type Job } from '../../src/core/jobs/job.js';
import { background, scripted } from '../runner/fixtures/background.js';
import { eventually } from '../support/eventually.js';

type Background = Awaited<ReturnType<typeof background>>;
type Spending = { spent: number; reserved: number };

interface SideBySide<Read extends Spending> {
  completed: Job[];
  /** The account of the goal when all have ended. */
  account: Read;
}

/**
 * Twelve calls of one goal by runners side by side, more than its cap allows: never is more spent and reserved, and each
 * call that did not get through says why.
 */
export async function spendSideBySide<Read extends Spending>(
  cap: number,
  setCap: (db: Background['db'], account: string, cap: number, at: number) => Promise<void>,
  read: (db: Background['db'], account: string) => Promise<Read>,
): Promise<SideBySide<Read>> {
  const runtime = await background();
  const { db } = runtime;
  await runtime.goals.create({ name: 'Ship', description: 'It' }, { holder: null, project: '' });
  await setCap(db, 'goal:1', cap, 0);
  const ids: string[] = [];
  for (let number = 0; number < 12; number++) {
    const payload = {
      prompt: scripted({ pieces: ['x'.repeat(200)], delayMs: 100 }),
      model: 'sonnet',
      params: { max_tokens: 64 },
    };
    ids.push(await runtime.give('llm', payload, { requires: 'anthropic', goalId: 1, maxAttempts: 1 }));
  }
  let most = 0;
  await eventually('all have ended', async () => {
    const { spent, reserved } = await read(db, 'goal:1');
    most = Math.max(most, spent + reserved);
    // Postponed jobs become ready at once, so that the test is quick.
    await db.run("update jobs set run_at = 0, run_tick = 0 where status = 'pending'");
    return (await Promise.all(ids.map((id) => runtime.jobs.status(id)))).every(hasEnded);
  });
  expect(most).toBeLessThanOrEqual(cap);
  const jobs = await Promise.all(ids.map((id) => runtime.jobs.get(id)));
  const completed = jobs.filter(({ status }) => status === 'completed');
  expect(completed.length).toBeGreaterThan(1);
  expect(jobs.filter(({ errorCode }) => errorCode === 'budget_exhausted')).toHaveLength(12 - completed.length);
  return { completed, account: await read(db, 'goal:1') };
}
