import type { Clock } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Breakers } from '../core/breakers/breakers.js';
import type { FailureType } from '../core/breakers/machine.js';
import { bookUsage, callOf } from '../core/jobs/attempts.js';
import { countModelCall } from '../core/metrics/job-counters.js';
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelParams,
  type ModelUsage,
  type Provider,
} from '../core/ports.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Database } from '../store/sql.js';
import { type AgentContext, type AgentJob, Postponed } from './define-agent.js';
import { estimateSpent, type Promised, promiseTokens } from './promise-tokens.js';

export interface ModelCallNeeds {
  db: Database;
  clock: Clock;
  breakers: Breakers;
  models: Models;
  log?: Log;
}

/** A prompt, and the models to ask in turn. */
export interface ModelCall {
  prompt: string;
  system?: string | undefined;
  model: string;
  fallback_models: readonly string[];
  params: ModelParams;
}

export interface CalledAnswer extends ModelAnswer {
  /** It ended at its greatest length, which was all that the budget allowed. */
  isCutByBudget: boolean;
}

/**
 * Calls the model that a job asks for, or the next of its fallbacks when that one's provider is behind an open breaker,
 * is not set up here, or has failed for good. Counts tokens against the budgets, tells the breakers what came of it, and
 * streams the text to the job. Throws `ModelError`, `Postponed`, or RuntimeError `budget_exhausted`.
 */
export async function callModel(
  call: ModelCall,
  job: AgentJob<unknown>,
  context: AgentContext,
  needs: ModelCallNeeds,
): Promise<CalledAnswer> {
  const choices = [call.model, ...call.fallback_models];
  const passedOver: string[] = [];
  let blocked: Blocked | undefined;
  let failure: unknown;
  for (const name of choices) {
    try {
      const chosen = findModel(name, needs.models);
      const admission = await needs.breakers.acquire(chosen.breaker, { holder: callOf(job), callMs: longestAttemptMs });
      if (!admission.allowed) {
        blocked = sooner(blocked, { breaker: chosen.breaker, retryAfterMs: admission.retryAfterMs });
        passedOver.push(`${name} (its breaker is open)`);
        continue;
      }
      if (passedOver.length > 0) context.warn(`${name} was used in place of ${passedOver.join(', ')}.`);
      for (const warning of chosen.warnings) context.warn(warning);
      // What a model before it had begun is no part of this one's answer; what the last one had begun is kept.
      if (failure) context.restartOutput();
      return await callOnce(chosen, call, job, context, { ...needs, permit: admission.permit });
    } catch (error) {
      if (!isFinalFor(error, job)) throw error;
      failure ??= error;
      passedOver.push(`${name} (${reasonOf(error)})`);
    }
  }
  if (failure && passedOver.length > 1) context.warn(`No model was left: ${passedOver.join(', ')}.`);
  throw failure ?? postponed(blocked);
}

/** Probes are given back when the attempt is over, however it ends; this is the longest that a job may ask for. */
const longestAttemptMs = 86_400_000;

interface Chosen extends ResolvedModel {
  vendor: Provider;
  breaker: string;
}

/** Throws `invalid` or `not_configured`: another session's runner may have other keys than the one that submitted. */
function findModel(name: string, models: Models): Chosen {
  const model = models.resolve(name);
  return { ...model, vendor: models.provider(model.provider), breaker: `llm:${model.provider}` };
}

/** Whether this model is out for this job; until its tries are spent, a passing failure is tried again on the same. */
function isFinalFor(error: unknown, job: AgentJob<unknown>): boolean {
  if (error instanceof RuntimeError) return error.code === 'not_configured' || error.code === 'invalid';
  if (!(error instanceof ModelError) || error.failure === 'cancelled') return false;
  return !error.isTransient || job.isLastTry;
}

function reasonOf(error: unknown): string {
  return error instanceof ModelError ? error.failure : error instanceof RuntimeError ? error.code : 'internal';
}

interface Blocked {
  breaker: string;
  /** Nothing for one that was tripped by hand. */
  retryAfterMs: number | undefined;
}

function sooner(known: Blocked | undefined, found: Blocked): Blocked {
  const waitOf = ({ retryAfterMs = Number.POSITIVE_INFINITY }: Blocked) => retryAfterMs;
  return known && waitOf(known) <= waitOf(found) ? known : found;
}

function postponed(blocked: Blocked | undefined): Error {
  if (blocked?.retryAfterMs === undefined) {
    return new RuntimeError(
      'circuit_open',
      `The breaker ${blocked?.breaker} was tripped by hand.`,
      `Call circuit_breaker_reset with agent_id ${blocked?.breaker}, then retry_task.`,
    );
  }
  return new Postponed(`The breaker ${blocked.breaker} is open; nothing was sent.`, blocked.retryAfterMs);
}

async function callOnce(
  { vendor, model, breaker }: Chosen,
  call: ModelCall,
  job: AgentJob<unknown>,
  context: AgentContext,
  { permit, ...needs }: ModelCallNeeds & { permit: string | undefined },
): Promise<CalledAnswer> {
  const { db, clock, breakers } = needs;
  let promised: Promised;
  try {
    promised = await promiseTokens(call, job, needs);
  } catch (error) {
    if (permit) await breakers.release(permit);
    throw error;
  }
  let received = '';
  const onText = (text: string) => {
    received += text;
    context.output(text);
  };
  const params = { ...call.params, ...(promised.maxTokens === undefined ? {} : { max_tokens: promised.maxTokens }) };
  const startedAt = performance.now();
  /** The call's tokens and its place in the metrics are written together. */
  const book = (usage: ModelUsage, failure?: string) => {
    const provider = vendor.id;
    const fields = { job_id: job.id, type: job.type, provider, model, status: failure ? 'error' : 'ok', code: failure };
    needs.log?.info('provider_call', { ...fields, duration_ms: Math.round(performance.now() - startedAt) });
    return db.transaction(async (sql) => {
      await bookUsage(sql, job, usage, clock.now());
      await countModelCall(sql, { provider, model, failure, usage });
    });
  };
  try {
    const { prompt, system } = call;
    const answer = await vendor.complete({ model, prompt, system, params, signal: context.signal, onText });
    context.usage({ model: answer.model, ...answer.usage });
    for (const warning of answer.warnings) context.warn(warning);
    await keepBooks(context, () => book(answer.usage));
    await keepBooks(context, () => breakers.recordSuccess(breaker, permit));
    return { ...answer, isCutByBudget: promised.isShortened && answer.stopReason === 'max_tokens' };
  } catch (error) {
    const spent = estimateSpent(error, promised, received);
    context.usage({ model, ...spent });
    await keepBooks(context, () => book(spent, error instanceof ModelError ? error.failure : 'internal'));
    await keepBooks(context, () => tellBreaker(breakers, breaker, permit, error));
    throw error;
  }
}

/**
 * An answer that was paid for is not lost, nor an error hidden, because the database takes nothing at that moment; what
 * is left open is settled with the attempt.
 */
async function keepBooks(context: AgentContext, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    context.log('warn', 'the call could not be booked', {
      reason: messageOf(error),
    });
  }
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
