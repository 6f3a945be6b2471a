import type { Clock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import type { Breakers } from '../core/breakers/breakers.js';
import type { FailureType } from '../core/breakers/machine.js';
import { estimateTokens, exhausted, readBudget, remaining, reserve, settle } from '../core/budget/ledger.js';
import { callOf } from '../core/jobs/finish-job.js';
import { type ModelAnswer, ModelError, type ModelFailure, type ModelParams, type ModelUsage } from '../core/ports.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Database, Sql } from '../store/sql.js';
import { type AgentContext, type AgentJob, Postponed } from './define-agent.js';

export interface ModelCallNeeds {
  db: Database;
  clock: Clock;
  breakers: Breakers;
  models: Models;
}

/** A prompt, and the models to ask in turn. */
export interface ModelCall {
  prompt: string;
  system?: string | undefined;
  model: string;
  fallback_models: readonly string[];
  params: ModelParams;
}

/**
 * Calls the model that a job asks for, or the next of its fallbacks when that one's provider is behind an open breaker
 * or has failed for good. Counts tokens against the budgets, tells the breakers what came of it, and streams the text
 * to the job. Throws `ModelError`, `Postponed`, or RuntimeError `budget_exhausted`.
 */
export async function callModel(
  call: ModelCall,
  job: AgentJob<unknown>,
  context: AgentContext,
  needs: ModelCallNeeds,
): Promise<ModelAnswer> {
  const choices = [call.model, ...call.fallback_models];
  let blocked: Blocked | undefined;
  let failure: unknown;
  for (const [index, name] of choices.entries()) {
    const model = needs.models.resolve(name);
    const admission = await needs.breakers.acquire(`llm:${model.provider}`);
    if (!admission.allowed) {
      blocked = sooner(blocked, { provider: model.provider, retryAfterMs: admission.retryAfterMs });
      continue;
    }
    if (index > 0) context.warn(`${name} was used, because ${choices.slice(0, index).join(', ')} could not be.`);
    for (const warning of model.warnings) context.warn(warning);
    try {
      return await callOnce(model, call, job, context, needs, admission.permit);
    } catch (error) {
      // Until its tries are spent, a transient failure is tried again on the same model.
      if (!(error instanceof ModelError) || error.failure === 'cancelled') throw error;
      if (error.isTransient && !job.isLastTry) throw error;
      failure = error;
      context.restartOutput();
    }
  }
  if (failure) throw failure;
  throw postponed(blocked);
}

interface Blocked {
  provider: string;
  retryAfterMs: number | undefined;
}

function sooner(known: Blocked | undefined, found: Blocked): Blocked {
  return (known?.retryAfterMs ?? Number.POSITIVE_INFINITY) <= (found.retryAfterMs ?? Number.POSITIVE_INFINITY) && known
    ? known
    : found;
}

function postponed(blocked: Blocked | undefined): Error {
  const id = `llm:${blocked?.provider}`;
  if (blocked?.retryAfterMs === undefined) {
    return new RuntimeError(
      'circuit_open',
      `The breaker ${id} was tripped by hand.`,
      `Call circuit_breaker_reset with agent_id ${id}.`,
    );
  }
  return new Postponed(`The breaker ${id} is open.`, blocked.retryAfterMs);
}

async function callOnce(
  { provider, model }: ResolvedModel,
  call: ModelCall,
  job: AgentJob<unknown>,
  context: AgentContext,
  needs: ModelCallNeeds,
  permit: string | undefined,
): Promise<ModelAnswer> {
  const { breakers, models } = needs;
  const breaker = `llm:${provider}`;
  const budget = await reserveTokens(call, job, needs);
  let received = 0;
  const onText = (text: string) => {
    received += text.length;
    context.output(text);
  };
  try {
    const params = { ...call.params, ...(budget.maxTokens === undefined ? {} : { max_tokens: budget.maxTokens }) };
    const answer = await models
      .provider(provider)
      .complete({ model, prompt: call.prompt, system: call.system, params, signal: context.signal, onText });
    await settleTokens(answer.usage, job, needs);
    await breakers.recordSuccess(breaker, permit);
    context.usage({ model: answer.model, ...answer.usage });
    for (const warning of answer.warnings) context.warn(warning);
    return answer;
  } catch (error) {
    const usage = usageOf(error) ?? { inputTokens: budget.promptTokens, outputTokens: estimateTokens(received) };
    const spent = received > 0 || usageOf(error) ? usage : { inputTokens: 0, outputTokens: 0 };
    await settleTokens(spent, job, needs);
    context.usage({ model, ...spent });
    await tellBreaker(breakers, breaker, permit, error);
    throw error;
  }
}

const usageOf = (error: unknown): ModelUsage | undefined => (error instanceof ModelError ? error.usage : undefined);

/** What an answer may take when nobody has said: the providers' own default. */
const assumedAnswerTokens = 8_192;

/** Below this an answer is not worth its prompt. */
const leastAnswerTokens = 64;

/** Promises the prompt and the longest answer to this call; a budget that is nearly spent shortens the answer. */
async function reserveTokens(
  call: ModelCall,
  job: AgentJob<unknown>,
  { db, clock }: ModelCallNeeds,
): Promise<{ promptTokens: number; maxTokens: number | undefined }> {
  const promptTokens = estimateTokens(call.prompt.length + (call.system?.length ?? 0));
  const wanted = call.params.max_tokens ?? assumedAnswerTokens;
  return db.transaction(async (sql) => {
    const accounts = await accountsOf(sql, job.id);
    let answer = wanted;
    for (const account of accounts) {
      const budget = await readBudget(sql, account);
      const left = remaining(budget) - promptTokens;
      if (left < Math.min(wanted, leastAnswerTokens))
        throw exhausted(budget, promptTokens + Math.min(wanted, leastAnswerTokens));
      answer = Math.min(answer, left);
    }
    await reserve(
      sql,
      { accounts, holder: callOf(job), tokens: promptTokens + answer, minimum: promptTokens },
      clock.now(),
    );
    return { promptTokens, maxTokens: answer < wanted ? answer : call.params.max_tokens };
  });
}

async function settleTokens(usage: ModelUsage, job: AgentJob<unknown>, { db, clock }: ModelCallNeeds): Promise<void> {
  await db.transaction((sql) => settle(sql, callOf(job), usage.inputTokens + usage.outputTokens, clock.now()));
}

/** The accounts that a job's calls are charged to: its own if it has a cap, and its goal's. */
async function accountsOf(sql: Sql, jobId: string): Promise<string[]> {
  const row = await sql.get<{ goal_id: number | null; token_budget: number | null }>(
    'select goal_id, token_budget from jobs where id = ?',
    jobId,
  );
  const accounts: string[] = [];
  if (row && row.token_budget !== null) accounts.push(`job:${jobId}`);
  if (row && row.goal_id !== null) accounts.push(`goal:${row.goal_id}`);
  return accounts;
}

/** Failures that speak of the provider's health; a refused key or request is the caller's own, and trips nothing. */
const failureTypes: Partial<Record<ModelFailure, FailureType>> = {
  timeout: 'timeout',
  rate_limited: 'rate_limited',
  overloaded: 'exception',
  network: 'exception',
  invalid_output: 'invalid_output',
};

async function tellBreaker(breakers: Breakers, id: string, permit: string | undefined, error: unknown): Promise<void> {
  const type = error instanceof ModelError ? failureTypes[error.failure] : undefined;
  if (type && error instanceof ModelError) {
    const { message, retryAfterMs } = error;
    await breakers.recordFailure(id, { type, message }, { permit, retryAfterMs });
  } else if (permit) await breakers.release(permit);
}
