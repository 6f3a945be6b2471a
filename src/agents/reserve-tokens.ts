import type { Clock } from '../base/clock.js';
import { estimateTokens, exhausted, leastAnswerTokens, readBudget, reserve } from '../core/budget/ledger.js';
import { callOf } from '../core/jobs/attempts.js';
import { type Exchange, ModelError, type ModelParams, type ModelUsage } from '../core/ports.js';
import { relayAccount } from '../core/relay/pipeline.js';
import type { Database, Sql } from '../store/sql.js';
import { type AgentJob, Postponed } from './define-agent.js';

/** The tokens that one model call may take from its budgets. */
export interface TokenReservation {
  /** Estimate of the prompt's tokens. */
  promptTokens: number;
  /** `max_tokens` of the call, so that its answer stays within the reservation; undefined leaves it to the provider. */
  maxTokens: number | undefined;
  /** Whether `maxTokens` is less than requested, because the budget allows no more. */
  isShortened: boolean;
}

/** The call to reserve for. */
interface ReservationRequest {
  prompt: string;
  system?: string | undefined;
  history?: readonly Exchange[] | undefined;
  params: ModelParams;
}

/** Longest answer under a budget when the call sets no `max_tokens`. */
const usualAnswerTokens = 8_192;

/** By then another call of the same budget has probably settled. */
const settleWaitMs = 3_000;

/**
 * Reserves tokens for the prompt and the longest answer of this call, in every account that the job is charged to. A
 * budget that is nearly spent shortens the answer. One that is reserved by other calls postpones this one.
 *
 * @throws RuntimeError `budget_exhausted`; `Postponed`; ModelError `cancelled` when another attempt has taken over
 */
export async function reserveTokens(
  { prompt, system = '', history = [], params }: ReservationRequest,
  job: AgentJob<unknown>,
  { db, clock }: { db: Database; clock: Clock },
): Promise<TokenReservation> {
  const said = history.map((exchange) => exchange.prompt + exchange.answer).join('');
  const promptTokens = estimateTokens(said + prompt + system);
  const wanted = params.max_tokens ?? usualAnswerTokens;
  const least = Math.min(wanted, leastAnswerTokens);
  return db.transaction(async (sql) => {
    const accounts = await accountsOf(sql, job);
    let answer = wanted;
    let isCapped = false;
    for (const account of accounts) {
      const budget = await readBudget(sql, account);
      if (budget.cap === null) continue;
      isCapped = true;
      const unspent = budget.cap - budget.spent - promptTokens;
      if (unspent < least) throw exhausted(budget, promptTokens + least);
      const free = unspent - budget.reserved;
      if (free < Math.min(wanted, unspent)) {
        throw new Postponed(`The rest of the budget of ${account} is reserved by other calls.`, settleWaitMs);
      }
      answer = Math.min(answer, free);
    }
    const tokens = promptTokens + answer;
    await reserve(sql, { accounts, holder: callOf(job), tokens, minimum: promptTokens }, clock.now());
    return { promptTokens, maxTokens: isCapped ? answer : params.max_tokens, isShortened: answer < wanted };
  });
}

/**
 * The tokens that a failed call has cost: as the provider reports them; or an estimate of the prompt and the text received,
 * if an answer had begun; or zero.
 */
export function estimateSpent(error: unknown, { promptTokens }: TokenReservation, received: string): ModelUsage {
  if (error instanceof ModelError && error.usage) return error.usage;
  if (received === '') return { inputTokens: 0, outputTokens: 0 };
  return { inputTokens: promptTokens, outputTokens: estimateTokens(received) };
}

/**
 * The accounts that a job's calls are charged to: its own if it has a cap, its goal's, its relay's. Throws for an attempt
 * that has been superseded, so that it gets no more tokens.
 */
async function accountsOf(sql: Sql, job: AgentJob<unknown>): Promise<string[]> {
  const row = await sql.get<{ goal_id: number | null; token_budget: number | null }>(
    "select goal_id, token_budget from jobs where id = ? and attempt = ? and status = 'running'",
    job.id,
    job.attempt,
  );
  if (!row) throw new ModelError('cancelled', `Another attempt of job ${job.id} has taken over.`);
  const accounts: string[] = [];
  if (row.token_budget !== null) accounts.push(`job:${job.id}`);
  if (row.goal_id !== null) accounts.push(`goal:${row.goal_id}`);
  const relay = await sql.get<{ id: string }>('select pipeline_id as id from relay_batons where job_id = ?', job.id);
  if (relay) accounts.push(relayAccount(relay.id));
  return accounts;
}
