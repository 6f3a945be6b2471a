import { expect, it } from 'vitest';
import { testRuntime } from '../support/test-runtime.js';

it('every job type has an agent with that type and a description', async () => {
  const { agents } = await testRuntime();
  expect([...agents.types.keys()]).toEqual(
    expect.arrayContaining(['llm', 'decompose', 'generic', 'ml_experiment', 'backtest']),
  );
  for (const type of agents.types.keys()) {
    const agent = await agents.load(type);
    expect(agent.type).toBe(type);
    expect(agent.description.length).toBeGreaterThan(20);
  }
});

it('an unknown type is refused with the known types', async () => {
  const { agents } = await testRuntime();
  await expect(async () => agents.load('unheard_of')).rejects.toThrow(
    expect.objectContaining({ code: 'not_found', hint: expect.stringContaining('generic') }),
  );
});

it('the generic agent returns its payload', async () => {
  const { agents } = await testRuntime();
  const agent = await agents.load('generic');
  const signal = new AbortController().signal;
  const context = { signal } as Parameters<typeof agent.execute>[1];
  const job = { id: 'j', type: 'generic', payload: { a: [1] }, metadata: {}, attempt: 1, isLastTry: true };
  expect(await agent.execute(job, context)).toEqual({
    status: 'success',
    data: { a: [1] },
    processed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});
