import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../src/core/breakers/breakers.js';
import { chooseAgent } from '../../../src/core/breakers/fallback.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

/** `chain(breakers, 'a', 'b', 'c')`: b stands in for a, c for b, and nobody for c. */
async function chain(breakers: Breakers, ...agents: string[]): Promise<void> {
  for (const [index, agent] of agents.entries()) {
    await breakers.configure(agent, { fallbackAgent: agents[index + 1] ?? null });
  }
}

async function open(breakers: Breakers, ...agents: string[]): Promise<void> {
  for (const agent of agents) await breakers.trip(agent, { reason: 'test' });
}

describe('who does the work of an agent', () => {
  it('is the agent itself while its breaker admits it, and nobody else is asked', async () => {
    const { db, breakers } = await testRuntime({ clock: movingClock() });
    await chain(breakers, 'a', 'b');
    expect(await breakers.choose('a')).toMatchObject({ agent: 'a', path: [{ agent: 'a' }] });
    expect(await db.all('select id from breakers order by id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  it('is the first along its fallbacks whose own breaker admits it', async () => {
    const { breakers } = await testRuntime({ clock: movingClock() });
    await chain(breakers, 'a', 'b', 'c', 'd');
    await open(breakers, 'a', 'b');
    const { agent, path, own } = await breakers.choose('a');
    expect(agent).toBe('c');
    expect(path.map((asked) => [asked.agent, asked.answer.state])).toEqual([
      ['a', 'open'],
      ['b', 'open'],
      ['c', 'closed'],
    ]);
    expect(own).toMatchObject({ allowed: false, retryAfterMs: 300_000 });
  });

  it('is the generalist unless somebody else was named, and a provider has nobody', async () => {
    const { breakers } = await testRuntime({ clock: movingClock() });
    await open(breakers, 'researcher', 'llm:anthropic');
    expect((await breakers.choose('researcher')).agent).toBe('generalist');
    expect(await breakers.choose('llm:anthropic')).toMatchObject({ agent: undefined, retryAfterMs: 300_000 });
    await open(breakers, 'generalist');
    expect((await breakers.choose('researcher')).agent).toBeUndefined();
  });

  it('is nobody when all of them are open, with the time when the first may be asked again', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await chain(breakers, 'a', 'b', 'c');
    await breakers.trip('c', { reason: 'held', mustHold: true });
    await open(breakers, 'b');
    clock.pass(100_000);
    await open(breakers, 'a');
    expect(await breakers.choose('a')).toMatchObject({
      agent: undefined,
      retryAfterMs: 200_000,
      own: { retryAfterMs: 300_000 },
    });
    await breakers.trip('a', { reason: 'held', mustHold: true });
    await breakers.trip('b', { reason: 'held', mustHold: true });
    expect((await breakers.choose('a')).retryAfterMs).toBeUndefined();
  });

  it('may be told by the caller: a step of its own has a fallback of its own', async () => {
    const { breakers } = await testRuntime({ clock: movingClock() });
    await chain(breakers, 'a', 'b');
    await chain(breakers, 'x', 'y');
    await open(breakers, 'a', 'x');
    expect((await breakers.choose('a', { fallback: 'x' })).agent).toBe('y');
  });

  it('is a probe when that one is half open, with a permit that is counted', async () => {
    const clock = movingClock();
    const { breakers } = await testRuntime({ clock });
    await chain(breakers, 'a', 'b');
    await breakers.configure('b', { halfOpenMaxCalls: 1 });
    await open(breakers, 'b');
    clock.pass(300_000);
    await open(breakers, 'a');
    const choice = await breakers.choose('a', { holder: 'baton:1' });
    expect(choice).toMatchObject({ agent: 'b', permit: expect.stringMatching(/^baton:1\//) });
    expect((await breakers.choose('a')).agent).toBeUndefined();
    await breakers.recordSuccess('b', choice.permit);
    expect((await breakers.choose('a')).agent).toBe('b');
  });
});

it('a choice is part of the transaction that it is made in', async () => {
  const clock = movingClock();
  const { db, breakers } = await testRuntime({ clock });
  await chain(breakers, 'a', 'b');
  await open(breakers, 'a');
  clock.pass(300_000);
  await expect(
    db.transaction(async (sql) => {
      expect((await chooseAgent(sql, 'a', {}, clock)).permit).toBeDefined();
      throw new Error('The step was not taken.');
    }),
  ).rejects.toThrow('The step was not taken.');
  expect((await breakers.get('a')).circuit.permits).toBe(0);
});

it('chains of whatever shape end, ask nobody twice, and pass over nobody who would work', async () => {
  const { breakers } = await testRuntime({ clock: movingClock() });
  const agents = ['a', 'b', 'c', 'd', 'e'];
  const agent = fc.constantFrom(...agents);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(agent), { minLength: 5, maxLength: 5 }),
      fc.subarray(agents),
      agent,
      async (fallbacks, tripped, wanted) => {
        for (const [index, id] of agents.entries()) {
          await breakers.reset(id);
          const fallback = fallbacks[index] ?? null;
          await breakers.configure(id, { fallbackAgent: fallback === id ? null : fallback });
        }
        await open(breakers, ...tripped);
        const { agent: chosen, path } = await breakers.choose(wanted);
        const asked = path.map((one) => one.agent);
        expect(new Set(asked).size).toBe(asked.length);
        expect(asked.slice(0, chosen ? -1 : undefined).every((one) => tripped.includes(one))).toBe(true);
        if (chosen) expect(tripped).not.toContain(chosen);
      },
    ),
    { numRuns: 60 },
  );
});

it('nobody can be made to stand in for himself', async () => {
  const { breakers } = await testRuntime();
  await expect(breakers.configure('a', { fallbackAgent: 'a', failureThreshold: 2 })).rejects.toMatchObject({
    code: 'invalid',
    message: 'a cannot stand in for itself.',
  });
  expect(await breakers.count()).toBe(0);
});
