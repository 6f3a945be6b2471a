import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { type Budget, exhausted, readBudget, remaining, setBudget, spend } from '../budget/ledger.js';
import { type Pipeline, updatePipeline } from './pipeline.js';

/** The ledger's account of a relay: tokens that sessions report and tokens that its own jobs use. */
export const relayAccount = (pipelineId: string): string => `relay:${pipelineId}`;

/** A relay of an earlier server has no account: its row says what it had used. */
export async function readRelayBudget(sql: Sql, pipeline: Pipeline): Promise<Budget> {
  const account = relayAccount(pipeline.id);
  const budget = await readBudget(sql, account);
  return budget.cap === null ? { account, cap: pipeline.tokenBudget, spent: pipeline.tokensUsed, reserved: 0 } : budget;
}

export async function remainingTokens(sql: Sql, pipeline: Pipeline): Promise<number> {
  return remaining(await readRelayBudget(sql, pipeline));
}

/** Throws `budget_exhausted` when the relay has no tokens left. */
export async function requireTokens(sql: Sql, pipeline: Pipeline): Promise<void> {
  const budget = await readRelayBudget(sql, pipeline);
  if (remaining(budget) > 0) return;
  const { message } = exhausted(budget, 1);
  throw new RuntimeError('budget_exhausted', message, 'Pass a higher token_budget to retry_relay_step or run_relay.');
}

/** Opens the account if there is none, so that calls can be charged to it. */
export async function openRelayBudget(sql: Sql, pipeline: Pipeline, at: EpochMs): Promise<void> {
  const { account, cap } = await readBudget(sql, relayAccount(pipeline.id));
  if (cap !== null) return;
  await setBudget(sql, account, pipeline.tokenBudget, at);
  if (pipeline.tokensUsed > 0) await spend(sql, account, pipeline.tokensUsed, at);
}

/** Counts tokens that a session reports. */
export async function spendRelayTokens(sql: Sql, pipeline: Pipeline, tokens: number, at: EpochMs): Promise<void> {
  await openRelayBudget(sql, pipeline, at);
  if (tokens > 0) await spend(sql, relayAccount(pipeline.id), tokens, at);
}

/** Replaces the budget of a relay: `cap` is the new total. Resolves to the pipeline with it. */
export async function changeRelayBudget(sql: Sql, pipeline: Pipeline, cap: number, at: EpochMs): Promise<Pipeline> {
  await openRelayBudget(sql, pipeline, at);
  await setBudget(sql, relayAccount(pipeline.id), cap, at);
  return updatePipeline(sql, pipeline.id, { token_budget: cap }, at);
}
