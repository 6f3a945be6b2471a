import type { Clock } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { microsOf } from '../base/money.js';
import type { Breakers } from '../core/breakers/breakers.js';
import type { FailureType } from '../core/breakers/machine.js';
import { estimateTokens } from '../core/budget/ledger.js';
import { type BookedCost, bookUsage, callOf } from '../core/jobs/attempts.js';
import { countModelCall } from '../core/metrics/counters.js';
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelParams,
  type ModelRequest,
  type ModelUsage,
  type Provider,
  type RateReport,
} from '../core/ports.js';
import { type RateLimit, type RateTicket, recordReport, settleCall } from '../core/rates/rates.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import { costByPrice, type Price } from '../llm/prices.js';
import type { Database } from '../store/sql.js';
import { type AgentContext, type AgentJob, Postponed } from './define-agent.js';
import { estimateSpent, reserveTokens, type TokenReservation } from './reserve-tokens.js';

export interface ModelCallNeeds {
  db: Database;
  clock: Clock;
  breakers: Breakers;
  models: Models;
  /** How often providers may be called, by their ids. */
  rates?: Readonly<Record<string, RateLimit>> | undefined;
  log?: Log;
}

/** A prompt, and the models to ask in turn. */
export interface ModelCall {
  prompt: string;
  system?: string | undefined;
  model: string;
  fallback_models: readonly string[];
  params: ModelParams;
  history?: ModelRequest['history'];
  workingDirectory?: ModelRequest['workingDirectory'];
  /** Whether a CLI keeps the session, and which one it goes on with where it is the CLI's own. */
  session?: { isKept: boolean; resume?: { id: string; provider: string | null } | undefined } | undefined;
}

export interface CalledAnswer extends ModelAnswer {
  /** Whether it was cut off at its greatest length, which the budget had shortened. */
  isCutByBudget: boolean;
}

/**
 * Calls the model that a job asks for. Takes the next fallback when a model's provider is behind an open breaker, is not
 * configured here, or has failed permanently. Counts tokens against the budgets, reports the outcome to the breaker, and
 * streams the text to the job.
 *
 * @throws ModelError; `Postponed` while breakers are open, budgets reserved or rate limits reached; RuntimeError `budget_exhausted`,
 * `circuit_open` for a breaker that was tripped by hand, `not_configured`, `invalid`
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
  const open: string[] = [];
  let failure: unknown;
  for (const name of choices) {
    try {
      const chosen = findModel(name, needs.models);
      const admission = await needs.breakers.acquire(chosen.breaker, { holder: callOf(job), callMs: longestAttemptMs });
      if (!admission.allowed) {
        blocked = sooner(blocked, { breaker: chosen.breaker, retryAfterMs: admission.retryAfterMs });
        open.push(chosen.breaker);
        passedOver.push(`${name} (its breaker is open)`);
        continue;
      }
      if (passedOver.length > 0) context.warn(`${name} was used in place of ${passedOver.join(', ')}.`);
      for (const warning of chosen.warnings) context.warn(warning);
      // A partial answer of an earlier model is no part of this one's answer; that of the last model is kept.
      if (failure) context.restartOutput();
      return await callOnce(chosen, call, job, context, { ...needs, permit: admission.permit });
    } catch (error) {
      if (!isPermanent(error, job)) throw error;
      failure ??= error;
      passedOver.push(`${name} (${reasonOf(error)})`);
    }
  }
  if (failure && passedOver.length > 1) context.warn(`No model was left: ${passedOver.join(', ')}.`);
  throw failure ?? postponed(blocked, open);
}

/** The longest attempt that a job may ask for. A probe is released when the attempt ends, however it ends. */
const longestAttemptMs = 86_400_000;

interface Chosen extends ResolvedModel {
  vendor: Provider;
  breaker: string;
}

/** Throws `invalid` or `not_configured`, because this runner may have other keys than the session that submitted. */
function findModel(name: string, models: Models): Chosen {
  const model = models.resolve(name);
  return { ...model, vendor: models.provider(model.provider), breaker: `llm:${model.provider}` };
}

/** Whether this model cannot serve the job. A transient failure is retried on the same model until the last try. */
function isPermanent(error: unknown, job: AgentJob<unknown>): boolean {
  if (error instanceof RuntimeError) return error.code === 'not_configured' || error.code === 'invalid';
  if (!(error instanceof ModelError) || error.failure === 'cancelled') return false;
  return !error.isTransient || job.isLastTry;
}

function reasonOf(error: unknown): string {
  return error instanceof ModelError ? error.failure : error instanceof RuntimeError ? error.code : 'internal';
}

interface Blocked {
  breaker: string;
  /** Undefined for a breaker that was tripped by hand. */
  retryAfterMs: number | undefined;
}

function sooner(known: Blocked | undefined, found: Blocked): Blocked {
  const waitOf = ({ retryAfterMs = Number.POSITIVE_INFINITY }: Blocked) => retryAfterMs;
  return known && waitOf(known) <= waitOf(found) ? known : found;
}

function postponed(blocked: Blocked | undefined, open: readonly string[]): Error {
  if (blocked?.retryAfterMs === undefined) {
    return new RuntimeError(
      'circuit_open',
      `The breaker ${blocked?.breaker} was tripped by hand.`,
      `Call circuit_breaker_reset with agent_id ${blocked?.breaker}, then retry_task.`,
    );
  }
  return new Postponed(`The breaker ${blocked.breaker} is open; nothing was sent.`, blocked.retryAfterMs, open);
}

async function callOnce(
  { vendor, model, breaker }: Chosen,
  call: ModelCall,
  job: AgentJob<unknown>,
  context: AgentContext,
  { permit, ...needs }: ModelCallNeeds & { permit: string | undefined },
): Promise<CalledAnswer> {
  const { breakers } = needs;
  const price = needs.models.price(vendor.id, model, needs.clock.now());
  let reservation: TokenReservation;
  try {
    const rate = needs.rates?.[vendor.id];
    const called = { provider: vendor.id, model, rate, price, limitsCost: vendor.limitsCost };
    reservation = await reserveTokens(call, job, needs, called);
  } catch (error) {
    if (permit) await breakers.release(permit);
    throw error;
  }
  let received = '';
  let reported: ModelUsage = { inputTokens: 0, outputTokens: 0 };
  const sayUsage = () => {
    // Vendors count the answer at its end; until then its text tells how long it is.
    const outputTokens = Math.max(reported.outputTokens, Math.ceil(received.length / 4));
    context.usageSoFar({ model, inputTokens: reported.inputTokens, outputTokens });
  };
  const onText = (text: string) => {
    received += text;
    context.output(text);
    sayUsage();
  };
  const onUsage = (usage: ModelUsage) => {
    reported = usage;
    sayUsage();
  };
  const { maxTokens, isShortened, maxCostUsd, ticket } = reservation;
  const params = { ...call.params, ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }) };
  const record = startRecord({ provider: vendor.id, model, ticket }, job, needs);
  let reports: Promise<void> = Promise.resolve();
  const onRates = (report: RateReport) => {
    const write = () => needs.db.transaction((sql) => recordReport(sql, vendor.id, ticket, report, needs.clock));
    reports = reports.then(() => tryToRecord(context, write));
  };
  sayUsage();
  try {
    const { prompt, system, history, workingDirectory, session } = call;
    const resume = session?.resume?.provider === vendor.id ? session.resume.id : undefined;
    const answer = await vendor.complete({
      ...{
        model,
        prompt,
        system,
        history,
        workingDirectory,
        params,
        maxCostUsd,
        signal: context.signal,
        onText,
        onUsage,
        onRates,
      },
      ...(session ? { session: { isKept: session.isKept, resume } } : {}),
    });
    const { usage, cost, warning } = countAnswer(answer, reservation, {
      price: needs.models.price(vendor.id, answer.model, needs.clock.now()) ?? price,
    });
    context.usage({ model: answer.model, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
    for (const said of [...answer.warnings, ...warning]) context.warn(said);
    await tryToRecord(context, () => record(usage, cost));
    await tryToRecord(context, () => breakers.recordSuccess(breaker, permit));
    return { ...answer, isCutByBudget: isShortened && answer.stopReason === 'max_tokens' };
  } catch (error) {
    const spent = estimateSpent(error, reservation, received);
    const cost = isUncounted(error, vendor) ? { micros: 0, unpriced: 1 } : costOf(spent, price);
    const { inputTokens, outputTokens } = spent;
    context.usage({ model, inputTokens, outputTokens });
    const failure = error instanceof ModelError ? error.failure : 'internal';
    await tryToRecord(context, () => record(spent, cost, failure));
    await tryToRecord(context, () => recordFailure(breakers, breaker, permit, error));
    throw error;
  } finally {
    await reports;
  }
}

/** The tokens of an answer, estimated where its provider does not say, and what they cost. */
function countAnswer(
  { text, usage }: ModelAnswer,
  { promptTokens }: TokenReservation,
  { price }: { price: Price | undefined },
): { usage: ModelUsage; cost: BookedCost; warning: string[] } {
  if (!usage.isUnknown) return { usage, cost: costOf(usage, price), warning: [] };
  const estimate = { inputTokens: promptTokens, outputTokens: estimateTokens(text) };
  const isFree = price?.input === 0 && price.output === 0;
  return {
    usage: estimate,
    cost: isFree ? costOf(estimate, price) : { micros: 0, unpriced: 1 },
    warning: ['The provider did not say how many tokens it used; they are estimated.'],
  };
}

/** A CLI that was ended in the middle may have made calls of which it could not tell. */
function isUncounted(error: unknown, { directories }: Provider): boolean {
  if (directories === undefined || !(error instanceof ModelError) || error.usage !== undefined) return false;
  return error.failure === 'cancelled' || error.isTransient;
}

/** The provider's own figure, else by its price. A call that used nothing cost nothing. */
function costOf(usage: ModelUsage, price: Price | undefined): BookedCost {
  if (usage.costUsd !== undefined) return { micros: microsOf(usage.costUsd), unpriced: 0 };
  if (usage.inputTokens + usage.outputTokens === 0 && !usage.isUnknown) return { micros: 0, unpriced: 0 };
  const micros = costByPrice(price, usage);
  return micros === undefined ? { micros: 0, unpriced: 1 } : { micros, unpriced: 0, price };
}

/** Starts the clock of a call. The result logs it and writes its tokens and its metrics in one transaction. */
function startRecord(
  { provider, model, ticket }: { provider: Provider['id']; model: string; ticket: RateTicket | undefined },
  job: AgentJob<unknown>,
  { db, clock, log }: ModelCallNeeds,
) {
  const startedAt = performance.now();
  return (usage: ModelUsage, cost: BookedCost, failure?: string): Promise<void> => {
    const fields = { job_id: job.id, type: job.type, provider, model, status: failure ? 'error' : 'ok', code: failure };
    log?.info('provider_call', { ...fields, duration_ms: Math.round(performance.now() - startedAt) });
    return db.transaction(async (sql) => {
      await bookUsage(sql, job, usage, clock.now(), cost);
      if (ticket) await settleCall(sql, ticket, usage);
      await countModelCall(sql, { provider, model, failure, usage, cost });
    });
  };
}

/**
 * A failure to write must neither lose an answer that was paid for nor hide an error. The end of the attempt settles
 * what is left open.
 */
async function tryToRecord(context: AgentContext, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    context.log('warn', 'the call could not be recorded', { reason: messageOf(error) });
  }
}

/** Failures that show the provider's health. A refused key or request is the caller's fault and trips no breaker. */
const failureTypes: Partial<Record<ModelFailure, FailureType>> = {
  timeout: 'timeout',
  rate_limited: 'rate_limited',
  overloaded: 'exception',
  network: 'exception',
  invalid_output: 'invalid_output',
};

async function recordFailure(
  breakers: Breakers,
  id: string,
  permit: string | undefined,
  error: unknown,
): Promise<void> {
  const type = error instanceof ModelError ? failureTypes[error.failure] : undefined;
  if (type && error instanceof ModelError) {
    const { message, retryAfterMs } = error;
    await breakers.recordFailure(id, { type, message }, { permit, retryAfterMs });
  } else if (permit) await breakers.release(permit);
}
