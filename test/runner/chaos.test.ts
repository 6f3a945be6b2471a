import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { hasEnded } from '../../src/core/jobs/job.js';
import { isLive } from '../../src/core/jobs/runners.js';
import { eventually } from '../support/eventually.js';
import { background, scripted, session } from './fixtures/background.js';

const wantedKills = 30;
const jobCount = 90;

it('whatever is killed whenever, every job ends with exactly one outcome (R16)', async () => {
  const runtime = await background();
  const { db, jobs } = runtime;
  const ids: string[] = [];
  const askNext = async () => {
    const number = ids.length;
    const pieces = Array.from({ length: 5 }, (_, index) => `${number}.${index} `);
    const more = {
      max_attempts: 20,
      token_budget: 1_000_000,
      depends_on: ids.slice(-1).filter(() => number % 5 === 0),
    };
    ids.push(await runtime.ask(scripted({ pieces, delayMs: 20 + (number % 7) * 20 }), more));
  };
  for (let number = 0; number < jobCount; number++) await askNext();

  let kills = 0;
  let most = 0;
  while (kills < wantedKills) {
    const open = await db.all("select 1 from jobs where status in ('pending', 'running')");
    // Others take the place of those that have ended, until enough was killed.
    for (let lacking = jobCount / 2 - open.length; lacking > 0; lacking--) await askNext();
    const live = (await runtime.runners()).filter(({ state }) => state === 'running' || state === 'waiting');
    most = Math.max(most, (await db.all("select 1 from jobs where status = 'running'")).length);
    const victim = live[Math.floor(Math.random() * live.length)];
    if (victim?.pid && Math.random() < 0.4 && kill(victim.pid)) kills++;
    await jobs.sweep(session);
    // The backoff of 2 s and more is not what is tested here.
    await db.run(
      "update jobs set run_at = ?, run_tick = 0 where status = 'pending' and run_at > ?",
      Date.now(),
      Date.now(),
    );
    await sleep(50 + Math.random() * 150);
  }
  // Sixteen calls, and four that have lost a runner, each in a process of its own.
  expect(most).toBeLessThanOrEqual(20);

  await eventually('every job has ended', async () => {
    await jobs.sweep(session);
    await db.run(
      "update jobs set run_at = ?, run_tick = 0 where status = 'pending' and run_at > ?",
      Date.now(),
      Date.now(),
    );
    return (await Promise.all(ids.map((id) => jobs.status(id)))).every(hasEnded);
  });
  await eventually('every runner has left or was written off', async () => {
    await jobs.sweep(session);
    return (await db.get(`select 1 from runners where ${isLive}`)) === undefined;
  });

  for (const [number, id] of ids.entries()) {
    const job = await jobs.get(id);
    const ends = (await runtime.events(id)).filter((type) => /completed|failed|cancelled|died/.test(type));
    expect(ends).toHaveLength(1);
    if (job.status === 'completed') {
      expect(await jobs.output(id)).toBe([0, 1, 2, 3, 4].map((index) => `${number}.${index} `).join(''));
    } else if (job.status === 'failed') expect(job).toMatchObject({ isDead: true, crashes: 3 });
    else expect(job).toMatchObject({ status: 'cancelled', errorCode: 'dependency_failed' });
    const attempts = await jobs.attempts(id);
    expect(attempts.map(({ attempt }) => attempt)).toEqual(attempts.map((_, index) => index + 1));
    expect(attempts.every(({ outcome }) => outcome !== null)).toBe(true);
    const spent = attempts.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
    expect(job.inputTokens + job.outputTokens).toBe(spent);
    expect(await db.get('select spent from budgets where account = ?', `job:${id}`)).toEqual({ spent });
  }
  const statuses = await db.all<{ status: string; count: number }>(
    'select status, count(*) as count from jobs group by status',
  );
  expect(statuses.find(({ status }) => status === 'completed')?.count).toBeGreaterThan(jobCount / 3);
  for (const table of ['job_chunks', 'budget_reservations', 'breaker_permits']) {
    expect(await db.all(`select * from ${table}`)).toEqual([]);
  }
  expect(await db.check()).toBeUndefined();
});

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It has left by itself meanwhile.
    return false;
  }
}
