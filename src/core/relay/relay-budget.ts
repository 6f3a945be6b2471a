import type { Sql } from '../../store/sql.js';
import { type Budget, readBudget, remaining, setBudget, spend } from '../budget/ledger.js';
import type { PipelineRow } from './pipeline.js';

/** The ledger's account of a relay: what sessions report and what its own jobs use, together. */
export const relayAccount = (pipelineId: string): string => `relay:${pipelineId}`;

/** A relay of an earlier server has no account; its row says what it had used. */
export async function readRelayBudget(sql: Sql, pipeline: PipelineRow): Promise<Budget> {
  const account = relayAccount(pipeline.id);
  const budget = await readBudget(sql, account);
  return budget.cap === null
    ? { account, cap: pipeline.token_budget, spent: pipeline.tokens_used, reserved: 0 }
    : budget;
}

export async function remainingTokens(sql: Sql, pipeline: PipelineRow): Promise<number> {
  return remaining(await readRelayBudget(sql, pipeline));
}

/** Opens the account if there is none, so that calls can be charged to it. */
export async function openRelayBudget(sql: Sql, pipeline: PipelineRow, at: number): Promise<void> {
  const { account, cap } = await readBudget(sql, relayAccount(pipeline.id));
  if (cap !== null) return;
  await setBudget(sql, account, pipeline.token_budget, at);
  if (pipeline.tokens_used > 0) await spend(sql, account, pipeline.tokens_used, at);
}

/** Counts tokens that somebody says were used. */
export async function spendRelayTokens(sql: Sql, pipeline: PipelineRow, tokens: number, at: number): Promise<void> {
  await openRelayBudget(sql, pipeline, at);
  if (tokens > 0) await spend(sql, relayAccount(pipeline.id), tokens, at);
}

/** Gives a relay another budget, in all and not on top of the old one. */
export async function changeRelayBudget(sql: Sql, pipeline: PipelineRow, cap: number, at: number): Promise<void> {
  await openRelayBudget(sql, pipeline, at);
  await setBudget(sql, relayAccount(pipeline.id), cap, at);
  await sql.run('update relay_pipelines set token_budget = ?, updated_at = ? where id = ?', cap, at, pipeline.id);
}
