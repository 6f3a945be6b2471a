import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../src/core/breakers/breakers.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const failure = { type: 'exception', message: 'Down' } as const;
const minute = 60_000;

async function fail(breakers: Breakers, id: string, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await breakers.recordFailure(id, failure);
}

async function open(): Promise<{ breakers: Breakers; clock: MovingClock; runtime: TestRuntime }> {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  await fail(runtime.breakers, 'a', 5);
  return { breakers: runtime.breakers, clock, runtime };
}

type TestRuntime = Awaited<ReturnType<typeof testRuntime>>;

const steps = [5 * minute, -5 * minute, 120 * minute, -120 * minute];

describe.each(steps)('a wall clock that is set by %i ms', (step) => {
  it('neither ends a cooldown nor makes it longer', async () => {
    const { breakers, clock, runtime } = await open();
    clock.pass(minute);
    clock.stepWallClock(step);
    expect(await breakers.tripped(10)).toEqual([
      { id: 'a', state: 'open', cooldownUntil: clock.now() + 4 * minute, isHeld: false },
    ]);
    expect((await breakers.get('a')).circuit.cooldownUntil).toBe(clock.now() + 4 * minute);
    expect(await breakers.acquire('a')).toMatchObject({ allowed: false, state: 'open', retryAfterMs: 4 * minute });
    clock.pass(4 * minute - 1);
    expect((await breakers.acquire('a')).allowed).toBe(false);
    clock.pass(1);
    expect(await breakers.tripped(10)).toMatchObject([{ state: 'half_open' }]);
    const again = await testRuntime({ home: runtime.home, clock });
    expect(await again.breakers.acquire('a')).toMatchObject({ allowed: true, state: 'half_open' });
  });

  it('neither empties the window of failures nor keeps it full', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await fail(breakers, 'full', 4);
    await fail(breakers, 'emptied', 4);
    clock.pass(59_000);
    clock.stepWallClock(step);
    await fail(breakers, 'full', 1);
    expect((await breakers.get('full')).circuit.state).toBe('open');
    clock.pass(1_000);
    await fail(breakers, 'emptied', 1);
    expect((await breakers.get('emptied')).circuit.failures).toHaveLength(1);
  });

  it('neither takes a permit back nor keeps a lost one', async () => {
    const { breakers, clock } = await open();
    clock.pass(5 * minute);
    for (let permit = 0; permit < 3; permit++) await breakers.acquire('a', { callMs: minute });
    clock.pass(minute - 1);
    clock.stepWallClock(step);
    expect((await breakers.acquire('a')).allowed).toBe(false);
    clock.pass(1);
    expect((await breakers.acquire('a')).allowed).toBe(true);
  });

  it('leaves the rate of failed calls as it is', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await breakers.configure('a', { failureThreshold: 100, failureRateThreshold: 0.5, minimumCalls: 10 });
    for (let call = 0; call < 5; call++) {
      await breakers.recordSuccess('a');
      clock.pass(1_000);
    }
    clock.stepWallClock(step);
    await fail(breakers, 'a', 4);
    expect((await breakers.get('a')).circuit.state).toBe('closed');
    await fail(breakers, 'a', 1);
    expect((await breakers.get('a')).circuit.state).toBe('open');
  });
});

it('two sessions whose wall clocks differ see the same cooldown', async () => {
  const { breakers, clock, runtime } = await open();
  const ahead = { ...clock, now: () => clock.now() + 120 * minute };
  const other = await testRuntime({ home: runtime.home, clock: ahead });
  expect(await other.breakers.acquire('a')).toMatchObject({ allowed: false, retryAfterMs: 5 * minute });
  await other.breakers.trip('b', { reason: 'by hand' });
  clock.pass(minute);
  expect(await breakers.acquire('a')).toMatchObject({ allowed: false, retryAfterMs: 4 * minute });
  expect(await breakers.acquire('b')).toMatchObject({ allowed: false, retryAfterMs: 4 * minute });
});

it('after a restart of the machine the wall clock counts', async () => {
  const { breakers, clock } = await open();
  clock.pass(minute);
  clock.reboot();
  expect(await breakers.acquire('a')).toMatchObject({ allowed: false, retryAfterMs: 4 * minute });
  clock.pass(4 * minute);
  expect((await breakers.acquire('a')).allowed).toBe(true);
});
