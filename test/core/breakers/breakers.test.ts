import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../src/core/breakers/breakers.js';
import { releasePermitsOf } from '../../../src/core/breakers/guard.js';
import { defaultConfig } from '../../../src/core/breakers/machine.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const failure = { type: 'exception', message: 'Down' } as const;

async function fail(breakers: Breakers, id: string, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await breakers.recordFailure(id, failure);
}

async function halfOpen(breakers: Breakers, clock: MovingClock, id: string): Promise<void> {
  await fail(breakers, id, defaultConfig.failureThreshold);
  clock.pass(defaultConfig.cooldownSeconds * 1000);
}

describe('what one process records, the others act by', () => {
  it('the failures of two sessions open one breaker, and a restart closes none', async () => {
    const clock = movingClock();
    const here = await testRuntime({ clock });
    const there = await testRuntime({ home: here.home, clock });
    await fail(here.breakers, 'llm:anthropic', 3);
    await fail(there.breakers, 'llm:anthropic', 2);
    expect(await here.breakers.acquire('llm:anthropic')).toMatchObject({ allowed: false, state: 'open' });
    here.close();
    const restarted = await testRuntime({ home: here.home, clock });
    expect(await restarted.breakers.acquire('llm:anthropic')).toMatchObject({
      allowed: false,
      retryAfterMs: 300_000,
    });
  });

  it('four failures before a restart and one after it are five', async () => {
    const clock = movingClock();
    const before = await testRuntime({ clock });
    await fail(before.breakers, 'a', 4);
    before.close();
    const after = await testRuntime({ home: before.home, clock });
    await fail(after.breakers, 'a', 1);
    expect((await after.breakers.acquire('a')).allowed).toBe(false);
  });
});

describe('probes', () => {
  it('are let through up to the limit over all who ask, and again as they are answered', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await halfOpen(breakers, clock, 'a');
    const admissions = await Promise.all(Array.from({ length: 10 }, () => breakers.acquire('a')));
    const allowed = admissions.filter((admission) => admission.allowed);
    expect(allowed).toHaveLength(3);
    expect(new Set(allowed.map(({ permit }) => permit)).size).toBe(3);
    expect(admissions.find((admission) => !admission.allowed)?.retryAfterMs).toBeGreaterThan(0);
    await breakers.release(allowed[0]?.permit ?? '');
    expect((await breakers.acquire('a')).allowed).toBe(true);
    await breakers.recordSuccess('a', allowed[1]?.permit);
    await breakers.recordSuccess('a', allowed[2]?.permit);
    expect(await breakers.acquire('a')).toMatchObject({ state: 'closed', permit: undefined });
  });

  it('of a caller that is lost are free again when its call must be over, or its attempt is', async () => {
    const clock = movingClock();
    const { db, breakers } = await testRuntime({ clock });
    await halfOpen(breakers, clock, 'a');
    for (let count = 0; count < 3; count++) await breakers.acquire('a', { holder: 'job:x:1', callMs: 60_000 });
    await releasePermitsOf(db, 'job:x:11');
    expect((await breakers.acquire('a')).allowed).toBe(false);
    clock.pass(60_000);
    const again = { holder: 'job:x:1', callMs: 60_000 };
    for (let count = 0; count < 3; count++) expect((await breakers.acquire('a', again)).allowed).toBe(true);
    await releasePermitsOf(db, 'job:x:1');
    expect((await breakers.acquire('a')).allowed).toBe(true);
  });
});

it('asking a closed breaker writes nothing', async () => {
  const { db, breakers } = await testRuntime({ clock: movingClock() });
  await breakers.acquire('a');
  const before = await db.get('select * from breakers');
  await breakers.acquire('a');
  expect(await db.get('select * from breakers')).toEqual(before);
  expect(await db.all("select * from events where subject = 'breaker'")).toEqual([]);
});

it('the log tells of every change with its reason, and a trip is counted even if its cooldown ended unnoticed', async () => {
  const clock = movingClock();
  const { db, breakers } = await testRuntime({ clock });
  await halfOpen(breakers, clock, 'a');
  await breakers.recordFailure('a', failure);
  const events = await db.all<{ type: string; data: string }>(
    "select type, data from events where subject = 'breaker' and type <> 'call_failed' order by id",
  );
  expect(events.map(({ type }) => type)).toEqual(['failure_trip', 'failure_trip']);
  expect(JSON.parse(events[1]?.data ?? '')).toEqual({
    from_state: 'half_open',
    to_state: 'open',
    reason: 'exception: Down',
  });
  expect(await db.get('select trip_count from breakers')).toEqual({ trip_count: 2 });
});

it('a provider has no generalist to stand in for it', async () => {
  const { db, breakers } = await testRuntime();
  await breakers.acquire('llm:anthropic');
  await breakers.acquire('researcher');
  const rows = await db.all('select id, fallback_agent from breakers order by id');
  expect(rows).toEqual([
    { id: 'llm:anthropic', fallback_agent: null },
    { id: 'researcher', fallback_agent: 'generalist' },
  ]);
});
