import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RateLimiter } from '../../../src/downstream/native/rate-limiter.js';
import { buildChild, startChild } from '../../support/child.js';
import { eventually } from '../../support/eventually.js';
import { movingClock } from '../../support/moving-clock.js';
import { projectRoot } from '../../support/paths.js';
import { testRuntime } from '../../support/test-runtime.js';
import { body, type Reply, webService } from './web-service.js';

const limit = { service: 'arXiv', gapMs: 3_100, turnMs: 21_000 };
const never = new AbortController().signal;
const takesAWhile =
  (ms: number): Reply =>
  (response) =>
    void setTimeout(() => response.writeHead(200).end(body('none.xml')), ms);

async function startSearches(origin: string, home: string) {
  const program = await buildChild(join(projectRoot, 'test/downstream/native/children/search.ts'));
  return (name: string, times: number) =>
    startChild(program, [name, String(times)], { HOME: home, ARXIV_BASE_URL: origin });
}

it('two processes together ask at most every 3 s, one at a time', async () => {
  const arxiv = await webService(takesAWhile(10), takesAWhile(4_000), takesAWhile(10));
  const { home } = await testRuntime();
  const start = await startSearches(arxiv.origin, home);
  const ends = await Promise.all([start('left', 2).ended, start('right', 2).ended]);
  for (const { stdout } of ends) {
    expect(JSON.parse(stdout)).toEqual(Array(2).fill({ results: [], total_results: 0 }));
  }
  expect(arxiv.received).toHaveLength(4);
  const starts = arxiv.received.map(({ at }) => at);
  const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
  // The limiter spaces the starts. A request may take a while to arrive, so the next one may seem early.
  expect(Math.min(...gaps)).toBeGreaterThan(1_500);
  // The second took 4 s: the third waited for its end and was not sent during it.
  expect(gaps[1]).toBeGreaterThan(3_900);
  expect(arxiv.mostOpen).toBe(1);
});

it('an answer has the same key in every process: the next one sends no request', async () => {
  const arxiv = await webService(takesAWhile(0));
  const { home } = await testRuntime();
  const start = await startSearches(arxiv.origin, home);
  await start('same', 1).ended;
  const { stdout } = await start('same', 1).ended;
  expect(JSON.parse(stdout)).toEqual([{ results: [], total_results: 0, age_seconds: expect.any(Number) }]);
  expect(arxiv.received).toHaveLength(1);
});

it('a process that dies during its request does not block the others for ever', async () => {
  const arxiv = await webService(() => undefined);
  const clock = movingClock();
  const { home, db } = await testRuntime({ clock });
  const start = await startSearches(arxiv.origin, home);
  const child = start('dies', 1);
  await eventually('the request', () => arxiv.received.length === 1);
  child.process.kill('SIGKILL');
  await child.ended;
  const row = await db.get<{ boot_id: string; turn_until_tick: number }>('select * from native_lines');
  const now = row?.turn_until_tick ?? 0;
  const limiter = new RateLimiter(limit, {
    db,
    clock: { now: clock.now, tick: () => now, bootId: row?.boot_id ?? '' },
  });
  expect(await limiter.run(30_000, never, async () => 'mine')).toBe('mine');
});

it('a request that would wait too long is refused at once, and takes no place in the queue', async () => {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  const limiter = new RateLimiter(limit, { db, clock });
  await limiter.run(10_000, never, async () => undefined);
  const waiting = new AbortController();
  const waits = Array.from({ length: 3 }, () => limiter.run(10_000, waiting.signal, async () => undefined));
  for (const wait of waits) wait.catch(() => undefined);
  await eventually('three places in the queue', async () => {
    const row = await db.get<{ queued_tick: number }>('select queued_tick from native_lines');
    return (row?.queued_tick ?? 0) - clock.tick() === 4 * 3_100;
  });
  for (let time = 0; time < 3; time++) {
    await expect(limiter.run(10_000, never, async () => undefined)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 13,
    });
  }
  waiting.abort();
  await Promise.allSettled(waits);
});

it('the last of the queue who leaves frees the place', async () => {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  const limiter = new RateLimiter(limit, { db, clock });
  await limiter.run(10_000, never, async () => undefined);
  const controller = new AbortController();
  const wait = limiter.run(10_000, controller.signal, async () => undefined);
  await eventually('a place in the queue', async () => (await ahead()) === 6_200);
  controller.abort();
  await expect(wait).rejects.toThrow();
  expect(await ahead()).toBe(3_100);

  async function ahead() {
    const row = await db.get<{ queued_tick: number }>('select queued_tick from native_lines');
    return (row?.queued_tick ?? 0) - clock.tick();
  }
});

it('neither a wall clock that is set back nor a restart of the machine stops the queue', async () => {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  const limiter = new RateLimiter(limit, { db, clock });
  await limiter.run(0, never, async () => undefined);
  clock.stepWallClock(-86_400_000);
  clock.pass(3_100);
  await limiter.run(0, never, async () => undefined);
  await limiter.pause(600_000);
  clock.reboot();
  expect(await limiter.run(0, never, async () => 'at once')).toBe('at once');
});

it('a request that fails ends its turn', async () => {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  const limiter = new RateLimiter(limit, { db, clock });
  await expect(limiter.run(0, never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  clock.pass(3_100);
  expect(await limiter.run(0, never, async () => 'next')).toBe('next');
});
