import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/agents/ml-experiment/random.js';
import { hasEnded } from '../../src/core/jobs/job.js';
import { eventually } from '../support/eventually.js';
import { type Background, background, scripted, session } from './fixtures/background.js';

/** How many runners are killed; each from a seed of its own. The whole of it: KILLS=200. */
const kills = Number(process.env.KILLS ?? 5);
const seed = Number(process.env.SEED ?? 1);
const calls = 16;

it(`nothing is lost and nothing recorded twice when a runner with ${calls} calls is killed, ${kills} times`, {
  timeout: 30_000 + kills * 20_000,
}, async () => {
  const runtime = await background();
  for (let round = 0; round < kills; round++) await killOnce(runtime, seed + round);
  expect((await runtime.runners()).filter(({ state }) => state === 'lost')).toHaveLength(kills);
  for (const table of ['job_chunks', 'budget_reservations', 'breaker_permits']) {
    expect(await runtime.db.all(`select * from ${table}`)).toEqual([]);
  }
  expect(await runtime.db.check()).toBeUndefined();
});

async function killOnce(runtime: Background, ofSeed: number): Promise<void> {
  const random = createRandom(ofSeed);
  const { db, jobs } = runtime;
  const ids: string[] = [];
  for (let number = 0; number < calls; number++) {
    const pieces = Array.from({ length: 4 }, (_, index) => `${ofSeed}.${number}.${index} `);
    const more = { max_attempts: 5, token_budget: 1_000_000 };
    // The first is not answered before the runner is killed, or it might have left by then.
    const script = number === 0 ? { pieces, isHeld: true } : { pieces, delayMs: 20 + Math.floor(random() * 200) };
    ids.push(await runtime.ask(scripted(script), more));
  }
  const [victim] = await eventually('one runner carries them', async () => {
    const rows = await db.all<{ pid: number }>(
      "select distinct r.pid from jobs j join runners r on r.id = j.runner_id where j.status = 'running'",
    );
    return rows.length === 1 ? rows : undefined;
  });
  // From the first request to the last outcome, and everything between.
  await sleep(random() * 700);
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await eventually(`every job of seed ${ofSeed} has ended`, async () => {
    await jobs.sweep(session);
    runtime.server.letOneGo();
    // Neither the backoff nor the process of its own after a crash is what is tested here.
    await db.run("update jobs set run_at = 0, run_tick = 0, lane = 'call' where status = 'pending'");
    return (await Promise.all(ids.map((id) => jobs.status(id)))).every(hasEnded);
  });
  await runtime.idle();
  for (const [number, id] of ids.entries()) {
    const job = await jobs.get(id);
    expect(job).toMatchObject({ status: 'completed', errorCode: null });
    expect(await jobs.output(id)).toBe([0, 1, 2, 3].map((index) => `${ofSeed}.${number}.${index} `).join(''));
    expect((await runtime.events(id)).filter((type) => /completed|failed|cancelled|died/.test(type))).toHaveLength(1);
    const attempts = await jobs.attempts(id);
    // One that was claimed and not begun is postponed, and does not count.
    const begun = attempts.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'postponed');
    expect(begun).toEqual([...Array(job.crashes).fill('lost'), 'completed']);
    const spent = attempts.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
    expect(job.inputTokens + job.outputTokens).toBe(spent);
    expect(await db.get('select spent from budgets where account = ?', `job:${id}`)).toEqual({ spent });
  }
}
