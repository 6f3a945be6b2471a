import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMoney, setMoneyBudget } from '../../src/core/budget/ledger.js';
import { closedUrl } from '../fixtures/models/scripted-server.js';
import { inProcess } from '../runner/fixtures/in-process.js';
import { projectRoot } from '../support/root.js';
import { tempDir } from '../support/temp-dir.js';
import { spendSideBySide } from './spend-side-by-side.js';

/** Sonnet: $2 and $10 a million, a tenth for what the cache had; the server says that 10 tokens came from there. */
const costOf = (input: number, output: number) => Math.ceil((input - 10) * 2 + 10 * 0.2 + output * 10);

function configWith(file: object): Record<string, string> {
  const path = join(tempDir(), 'config.json');
  writeFileSync(path, JSON.stringify(file));
  return { AGENT_RUNTIME_CONFIG: path };
}

describe('a budget in dollars', () => {
  it('is charged what the call cost, which the job keeps with its price', async () => {
    const runtime = await inProcess();
    const id = await runtime.ask('Hello', { budget_usd: 1 });
    const job = await runtime.tryOnce(id);
    expect(job.cost).toEqual({ micros: costOf(job.inputTokens, job.outputTokens), unpriced: 0 });
    expect(await readMoney(runtime.db, `job:${id}`)).toMatchObject({ spent: job.cost.micros, reserved: 0 });
    const row = await runtime.db.get<{ price: string }>('select price from job_attempts where job_id = ?', id);
    expect(JSON.parse(row?.price ?? '')).toMatchObject({ input: 2, output: 10 });
  });

  it('that is too small for the prompt refuses the call before it is made', async () => {
    const runtime = await inProcess();
    const job = await runtime.tryOnce(await runtime.ask('A prompt. '.repeat(100), { budget_usd: 0.001 }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted', cost: { micros: 0, unpriced: 0 } });
    expect(job.errorMessage).toContain('$0.00 spent and $0.00 reserved of $0.0010');
    expect(runtime.anthropic.requests).toHaveLength(0);
  });

  it('that is nearly spent shortens the answer to what can be paid', async () => {
    const runtime = await inProcess();
    await runtime.tryOnce(await runtime.ask('Hello', { budget_usd: 0.003 }));
    const longest = Number(runtime.anthropic.requests[0]?.body.max_tokens);
    expect(longest).toBeLessThan(300);
    expect(longest).toBeGreaterThan(250);
  });

  it('refuses a model of unknown price and says how to set one; a fallback with a price is asked', async () => {
    const runtime = await inProcess();
    const refused = await runtime.tryOnce(await runtime.ask('Hello', { model: 'claude-next-9', budget_usd: 1 }));
    expect(refused).toMatchObject({ status: 'failed', errorCode: 'not_configured' });
    expect(refused.errorMessage).toContain('no price is known of claude-next-9');
    expect(runtime.anthropic.requests).toHaveLength(0);
    const more = { model: 'claude-next-9', fallback_models: ['haiku'], budget_usd: 1 };
    const job = await runtime.tryOnce(await runtime.ask('Hello', more));
    expect(job).toMatchObject({ status: 'completed', model: 'claude-haiku-5-5' });
  });

  it('takes the price of the config file', async () => {
    const runtime = await inProcess(configWith({ prices: { 'claude-next-9': { input: 1_000, output: 1_000 } } }));
    const job = await runtime.tryOnce(await runtime.ask('Hello', { model: 'claude-next-9', budget_usd: 20 }));
    expect(job.cost).toEqual({ micros: (job.inputTokens + job.outputTokens) * 1_000, unpriced: 0 });
  });

  it('covers all tries: a broken answer is charged, a refused connection is not', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ pieces: ['Half an answer'], ending: 'cut' });
    const id = await runtime.ask('Hello', { budget_usd: 1 });
    const half = await runtime.tryOnce(id);
    expect(half.cost.micros).toBeGreaterThan(0);
    const job = await runtime.tryOnce(id);
    expect(job.cost.micros).toBeGreaterThan(half.cost.micros);
    expect(await readMoney(runtime.db, `job:${id}`)).toMatchObject({ spent: job.cost.micros, reserved: 0 });

    const deaf = await inProcess({ ANTHROPIC_BASE_URL: await closedUrl() });
    const lost = await deaf.tryOnce(await deaf.ask('Hello', { budget_usd: 1 }));
    expect(lost.cost).toEqual({ micros: 0, unpriced: 0 });
  });

  it('can be raised by a retry, with what was spent before in it', async () => {
    const runtime = await inProcess();
    runtime.anthropic.script.push({ pieces: ['Half'], ending: 'cut' });
    const id = await runtime.ask('Hello', { max_attempts: 1 });
    const { cost } = await runtime.tryOnce(id);
    const retry = (budgetMicros: number) =>
      runtime.jobs.retry(id, { budgetMicros }, { holder: 'session:test', project: '' });
    await expect(retry(cost.micros)).rejects.toThrow('leaves job');
    await retry(1_000_000);
    expect(await readMoney(runtime.db, `job:${id}`)).toMatchObject({ cap: 1_000_000, spent: cost.micros });
  });
});

it('Claude Code gets what the budget has left as its own limit, and its own figure is the cost', async () => {
  const record = join(tempDir(), 'record.json');
  const command = join(projectRoot, 'test', 'fixtures', 'models', 'fake-claude.mjs');
  const runtime = await inProcess(configWith({ providers: { 'claude-code': { command } } }));
  const job = await runtime.tryOnce(
    await runtime.ask(`Hello [[record ${record}]]`, { model: 'claude-code:sonnet', budget_usd: 0.25 }),
  );
  expect(job).toMatchObject({ status: 'completed', cost: { micros: 10_000, unpriced: 0 } });
  expect((JSON.parse(readFileSync(record, 'utf8')) as { argv: string[] }).argv).toContain('0.25');
  expect(await readMoney(runtime.db, `job:${job.id}`)).toMatchObject({ spent: 10_000, reserved: 0 });
});

it('without a budget a model of unknown price answers, and its cost is unknown, not 0', async () => {
  const runtime = await inProcess();
  const job = await runtime.tryOnce(await runtime.ask('Hello', { model: 'claude-next-9' }));
  expect(job).toMatchObject({ status: 'completed', cost: { micros: 0, unpriced: 1 } });
  await runtime.tryOnce(await runtime.ask('Hello'));
  const { cost, totals } = await runtime.metrics.summary(3_600_000);
  expect(cost).toMatchObject({ unpriced: 1 });
  expect(cost.micros).toBeGreaterThan(0);
  expect(totals.llmCost).toEqual(cost);
  expect(await runtime.metrics.prometheus()).toMatch(/llm_cost_dollars_total\{[^}]*claude-sonnet-5-5[^}]*\} 0\.0/);
});

it('runners side by side never spend more than the money of their goal', async () => {
  // Each call may cost some $0.0008, most of it for its 64 tokens of answer.
  const { account, completed } = await spendSideBySide(5_000, setMoneyBudget, readMoney);
  const { spent, reserved, unpriced } = account;
  expect({ reserved, unpriced }).toEqual({ reserved: 0, unpriced: 0 });
  expect(spent).toBe(completed.reduce((sum, { cost }) => sum + cost.micros, 0));
});
