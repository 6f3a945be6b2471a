/** What the breakers of the earlier servers did wrong, each by its name. */
import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../src/core/breakers/breakers.js';
import { listEvents } from '../../../src/core/events/events.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

async function fail(breakers: Breakers, id: string, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await breakers.recordFailure(id, { type: 'exception', message: 'Down' });
}

describe('defects of the earlier breakers that these do not have', () => {
  it('the failure window was not kept: after four failures and a restart the fifth left the breaker closed', async () => {
    const clock = movingClock();
    const before = await testRuntime({ clock });
    await fail(before.breakers, 'a', 4);
    before.close();
    const { breakers } = await testRuntime({ home: before.home, clock });
    expect((await breakers.get('a')).circuit).toMatchObject({ state: 'closed', failures: { length: 4 } });
    expect(await breakers.recordFailure('a', { type: 'exception', message: 'Down' })).toEqual({
      from: 'closed',
      to: 'open',
    });
  });

  it('the tables of failures and events stayed empty', async () => {
    const { db, breakers } = await testRuntime({ clock: movingClock() });
    await fail(breakers, 'a', 5);
    expect(await db.all('select failure_type, error_message from breaker_failures')).toEqual(
      Array(5).fill({ failure_type: 'exception', error_message: 'Down' }),
    );
    expect(await breakers.events('a', 10)).toMatchObject([{ type: 'failure_trip' }]);
  });

  it('a failed call that opened nothing was no event, so that nobody heard of it', async () => {
    const { db, breakers } = await testRuntime({ clock: movingClock() });
    await fail(breakers, 'a', 2);
    expect(await listEvents(db, { subject: 'breaker', subjectId: 'a', limit: 10 })).toMatchObject(
      Array(2).fill({ type: 'call_failed', data: { failure_type: 'exception', error: 'Down' } }),
    );
    // The history of its states stays one of its states.
    expect(await breakers.events('a', 10)).toEqual([]);
  });

  it('half open let any number of calls through', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await fail(breakers, 'a', 5);
    clock.pass(300_000);
    const admissions = await Promise.all(Array.from({ length: 20 }, () => breakers.acquire('a')));
    expect(admissions.filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  it('half_open_calls counted successes, and was lost with the process', async () => {
    const clock = movingClock();
    const before = await testRuntime({ clock });
    await fail(before.breakers, 'a', 5);
    clock.pass(300_000);
    for (let count = 0; count < 3; count++) await before.breakers.acquire('a');
    expect((await before.breakers.get('a')).circuit).toMatchObject({ permits: 3, halfOpenSuccesses: 0 });
    before.close();
    const { breakers } = await testRuntime({ home: before.home, clock });
    expect((await breakers.get('a')).circuit.permits).toBe(3);
    expect((await breakers.acquire('a')).allowed).toBe(false);
  });

  it('configuring one rule set the others back to their defaults', async () => {
    const { breakers } = await testRuntime();
    await breakers.configure('a', {
      failureThreshold: 9,
      cooldownSeconds: 7,
      fallbackAgent: 'b',
      failureWeights: { timeout: 3 },
    });
    await breakers.configure('a', { windowSeconds: 30 });
    await breakers.configure('a', { failureWeights: { exception: 0.5 } });
    expect((await breakers.get('a')).config).toMatchObject({
      failureThreshold: 9,
      windowSeconds: 30,
      cooldownSeconds: 7,
      fallbackAgent: 'b',
      failureWeights: { timeout: 3, exception: 0.5 },
    });
  });

  it('each save wrote the time of creation anew', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await fail(breakers, 'a', 1);
    const { createdAt } = await breakers.get('a');
    clock.pass(60_000);
    await breakers.configure('a', { failureThreshold: 2 });
    await fail(breakers, 'a', 2);
    await breakers.reset('a');
    expect((await breakers.get('a')).createdAt).toBe(createdAt);
  });

  it('two servers on one database each had breakers of their own', async () => {
    const clock = movingClock();
    const here = await testRuntime({ clock });
    const there = await testRuntime({ home: here.home, clock });
    await here.breakers.acquire('a');
    await there.breakers.acquire('a');
    await here.breakers.trip('a', { reason: 'mending it' });
    expect(await there.breakers.acquire('a')).toMatchObject({ allowed: false, state: 'open' });
    await there.breakers.reset('a');
    expect(await here.breakers.acquire('a')).toMatchObject({ allowed: true, state: 'closed' });
  });

  it('failures recorded while open made the list grow without end', async () => {
    const clock = movingClock();
    const { db, breakers } = await testRuntime({ clock });
    await fail(breakers, 'a', 200);
    const count = () => db.get('select count(*) as rows from breaker_failures');
    // Five that opened it, and the last ten to be looked at.
    expect(await count()).toEqual({ rows: 15 });
    expect((await breakers.get('a')).totals).toMatchObject({ failures: 200, trips: 1 });
    clock.pass(61_000);
    await fail(breakers, 'a', 1);
    expect(await count()).toEqual({ rows: 10 });
    clock.pass(240_000);
    expect((await breakers.get('a')).circuit).toMatchObject({ state: 'half_open', failures: [] });
  });

  it('a success while closed left the count of failures as it was', async () => {
    const { breakers } = await testRuntime({ clock: movingClock() });
    await fail(breakers, 'a', 4);
    await breakers.recordSuccess('a');
    expect((await breakers.get('a')).circuit.failures).toHaveLength(3);
    await fail(breakers, 'a', 1);
    expect((await breakers.get('a')).circuit.state).toBe('closed');
  });

  it("the fallback's own breaker was not asked", async () => {
    const { breakers } = await testRuntime({ clock: movingClock() });
    await breakers.configure('a', { fallbackAgent: 'b' });
    await breakers.configure('b', { fallbackAgent: 'c' });
    await fail(breakers, 'a', 5);
    await fail(breakers, 'b', 5);
    expect((await breakers.choose('a')).agent).toBe('c');
  });

  it('a breaker looked open after its cooldown until somebody called', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await fail(breakers, 'a', 5);
    clock.pass(300_000);
    expect(await breakers.get('a')).toMatchObject({ circuit: { state: 'half_open' }, canExecute: true });
    expect(await breakers.tripped(10)).toEqual([{ id: 'a', state: 'half_open', cooldownUntil: null, isHeld: false }]);
  });
});
