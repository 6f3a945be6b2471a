import { describe, expect, it } from 'vitest';
import { reserveTokens } from '../../src/agents/reserve-tokens.js';
import { readBudget, setBudget } from '../../src/core/budget/ledger.js';
import { closedUrl } from '../fixtures/models/scripted-server.js';
import { inProcess } from '../runner/fixtures/in-process.js';
import { spendSideBySide } from './spend-side-by-side.js';

describe('a token budget', () => {
  it('is charged what the provider counts, and nothing stays reserved', async () => {
    const runtime = await inProcess();
    const id = await runtime.ask('Hello', { token_budget: 50_000 });
    const job = await runtime.tryOnce(id);
    const budget = await readBudget(runtime.db, `job:${id}`);
    expect(budget).toMatchObject({ spent: job.inputTokens + job.outputTokens, reserved: 0 });
    expect(budget.spent).toBeGreaterThan(0);
  });

  it('that is too small for the prompt refuses the call before it is made, with the figures', async () => {
    const runtime = await inProcess();
    const job = await runtime.tryOnce(await runtime.ask('A prompt. '.repeat(100), { token_budget: 100 }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted' });
    expect(job.errorMessage).toMatch(/0 spent and 0 reserved of 100/);
    expect(runtime.anthropic.requests).toHaveLength(0);
  });

  it('that is nearly spent shortens the answer by its max_tokens', async () => {
    const runtime = await inProcess();
    await runtime.tryOnce(await runtime.ask('Hello', { token_budget: 1_000 }));
    expect(Number(runtime.anthropic.requests[0]?.body.max_tokens)).toBeLessThan(1_000);
  });

  it('that is ample lets the answer be as long as usual; without one the provider decides', async () => {
    const runtime = await inProcess();
    await runtime.tryOnce(await runtime.ask('Hello', { token_budget: 1_000_000 }));
    await runtime.tryOnce(await runtime.ask('Hello'));
    await runtime.tryOnce(await runtime.ask('Hello', { token_budget: 1_000_000, model_params: { max_tokens: 5 } }));
    expect(runtime.anthropic.requests.map(({ body }) => body.max_tokens)).toEqual([8_192, 16_384, 5]);
  });

  it('covers all tries: what a broken answer has cost is charged, what a refused connection has cost is not', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ pieces: ['Half an answer'], ending: 'cut' });
    const id = await runtime.ask('Hello', { token_budget: 50_000 });
    await runtime.tryOnce(id);
    const half = await readBudget(runtime.db, `job:${id}`);
    expect(half).toMatchObject({ reserved: 0 });
    expect(half.spent).toBeGreaterThan(0);
    const job = await runtime.tryOnce(id);
    expect((await readBudget(runtime.db, `job:${id}`)).spent).toBe(job.inputTokens + job.outputTokens);
    expect(job.attempts.map(({ inputTokens }) => inputTokens > 0)).toEqual([true, true]);

    const deaf = await inProcess({ ANTHROPIC_BASE_URL: await closedUrl() });
    const lost = await deaf.ask('Hello', { token_budget: 50_000 });
    await deaf.tryOnce(lost);
    expect(await readBudget(deaf.db, `job:${lost}`)).toMatchObject({ spent: 0, reserved: 0 });
  });

  it('of a goal is shared by its tasks, and one that is reserved by others makes a task wait, at no cost', async () => {
    const runtime = await inProcess();
    const { db } = runtime;
    await runtime.goals.create({ name: 'Ship', description: 'It', tokenBudget: 10_000 }, { holder: null, project: '' });
    const id = await runtime.ask('Hello');
    await db.run('update jobs set goal_id = 1 where id = ?', id);
    await db.run(
      "insert into budget_reservations (account, holder, tokens, minimum, created_at) values ('goal:1', 'job:other:1', 9000, 10, 0)",
    );
    const job = await runtime.tryOnce(id);
    expect(job).toMatchObject({ status: 'pending', tries: 0, errorCode: 'postponed' });
    expect(job.errorMessage).toBe('The rest of the budget of goal:1 is reserved by other calls.');
    await db.run("delete from budget_reservations where holder = 'job:other:1'");
    expect((await runtime.tryOnce(id)).status).toBe('completed');
    expect((await readBudget(db, 'goal:1')).spent).toBeGreaterThan(0);
  });

  it('gives no tokens to an attempt that has been superseded', async () => {
    const runtime = await inProcess();
    const id = await runtime.ask('Hello', { token_budget: 50_000 });
    const job = { id, type: 'llm', payload: {}, metadata: {}, attempt: 1, isLastTry: false };
    await expect(
      reserveTokens({ prompt: 'Hello', params: {} }, job, runtime, {
        provider: 'anthropic',
        model: 'sonnet',
        price: undefined,
        limitsCost: undefined,
      }),
    ).rejects.toThrow(expect.objectContaining({ failure: 'cancelled' }));
  });
});

it('runners side by side never spend more than the cap of their goal', async () => {
  const { account } = await spendSideBySide(600, setBudget, readBudget);
  expect(account).toMatchObject({ reserved: 0 });
});
