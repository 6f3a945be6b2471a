import type { Clock } from '../base/clock.js';
import { type Micros, microsOf, usdOf } from '../base/money.js';
import {
  estimateTokens,
  exhausted,
  exhaustedMoney,
  leastAnswerTokens,
  type Money,
  readBudget,
  readMoney,
  reserve,
  unpriced,
} from '../core/budget/ledger.js';
import { callOf } from '../core/jobs/attempts.js';
import { type Exchange, ModelError, type ModelParams, type ModelUsage, type Provider } from '../core/ports.js';
import { type RateLimit, type RateTicket, type RateWait, takeCall } from '../core/rates/rates.js';
import { relayAccount } from '../core/relay/pipeline.js';
import { costByPrice, type Price } from '../llm/prices.js';
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
  /** The most that the call may cost, for a provider that keeps to it. */
  maxCostUsd?: number | undefined;
  /** The call as the rate limits of its provider count it; undefined where it has none. */
  ticket?: RateTicket | undefined;
}

/** The call to reserve for. */
interface ReservationRequest {
  prompt: string;
  system?: string | undefined;
  history?: readonly Exchange[] | undefined;
  params: ModelParams;
}

/** What is known of the costs of a call before it is made. */
export interface CallPrice {
  provider: string;
  model: string;
  /** How often the provider may be called, by the config file. */
  rate?: RateLimit | undefined;
  /** Undefined where it is unknown. */
  price: Price | undefined;
  /** Of a provider that keeps to a limit of its own. */
  limitsCost: Provider['limitsCost'];
}

/** Longest answer under a budget when the call sets no `max_tokens`. */
const usualAnswerTokens = 8_192;

/** What an answer counts for in a limit of tokens a minute until it has ended, when the call sets no `max_tokens`. */
const countedAnswerTokens = 1_024;

/** By then another call of the same budget has probably settled. */
const settleWaitMs = 3_000;

/**
 * Reserves tokens and money for the prompt and the longest answer of this call, in every account that the job is charged
 * to, and counts the call against the rate limits of its provider. A budget that is nearly spent shortens the answer. One
 * that is reserved by other calls postpones this one, and so does a rate limit that is reached.
 *
 * @throws RuntimeError `budget_exhausted`, `not_configured` for a model without a known price under a budget of money;
 * `Postponed`; ModelError `cancelled` when another attempt has taken over
 */
export async function reserveTokens(
  { prompt, system = '', history = [], params }: ReservationRequest,
  job: AgentJob<unknown>,
  { db, clock }: { db: Database; clock: Clock },
  called: CallPrice,
): Promise<TokenReservation> {
  const said = history.map((exchange) => exchange.prompt + exchange.answer).join('');
  const promptTokens = estimateTokens(said + prompt + system);
  const wanted = params.max_tokens ?? usualAnswerTokens;
  const least = Math.min(wanted, leastAnswerTokens);
  return db.transaction(async (sql) => {
    const accounts = await accountsOf(sql, job);
    let answer = wanted;
    let isCapped = false;
    const purses: Money[] = [];
    for (const account of accounts) {
      const money = await readMoney(sql, account);
      if (money.cap !== null) purses.push(money);
      const budget = await readBudget(sql, account);
      if (budget.cap === null) continue;
      isCapped = true;
      const unspent = budget.cap - budget.spent - promptTokens;
      if (unspent < least) throw exhausted(budget, promptTokens + least);
      const free = unspent - budget.reserved;
      if (free < Math.min(wanted, unspent)) {
        throw reservedByOthers(account);
      }
      answer = Math.min(answer, free);
    }
    const size = { promptTokens, answer, least };
    const bought = called.limitsCost ? shareOf(purses, called.limitsCost.usd) : affordable(purses, called, size);
    answer = bought.answer ?? answer;
    const tokens = promptTokens + answer;
    const { money } = bought;
    await reserve(sql, { accounts, holder: callOf(job), tokens, minimum: promptTokens, money }, clock.now());
    const rated = { provider: called.provider, promptTokens, answerTokens: params.max_tokens ?? countedAnswerTokens };
    const taken = await takeCall(sql, rated, called.rate, clock);
    if (taken && 'wait' in taken) throw rateReached(taken.wait, clock);
    return {
      promptTokens,
      ticket: taken?.ticket,
      maxTokens: isCapped || purses.length > 0 ? answer : params.max_tokens,
      isShortened: answer < wanted,
      maxCostUsd: called.limitsCost && purses.length > 0 && money ? usdOf(money.micros) : undefined,
    };
  });
}

/** What of the money is there for this call: its answer, in tokens, if it had to be shortened, and what is reserved. */
interface Bought {
  answer?: number;
  money?: { micros: Micros; minimum: Micros };
}

/** Shortens the answer to what can be paid. */
function affordable(
  purses: readonly Money[],
  { model, price }: CallPrice,
  { promptTokens, answer: wanted, least }: { promptTokens: number; answer: number; least: number },
): Bought {
  const costOf = (outputTokens: number) =>
    // Nothing of the prompt need be in the cache, and all of it may be written there.
    price && costByPrice({ ...price, input: dearestInput(price) }, { inputTokens: promptTokens, outputTokens });
  const minimum = costOf(0);
  if (!price || minimum === undefined) {
    if (purses[0]) throw unpriced(purses[0].account, model);
    return {};
  }
  const tokensFor = (micros: Micros) =>
    price.output === 0 ? Number.POSITIVE_INFINITY : Math.floor(micros / price.output);
  let answer = wanted;
  for (const purse of purses) {
    const unspent = (purse.cap ?? 0) - purse.spent - minimum;
    if (unspent < 0 || tokensFor(unspent) < least) throw exhaustedMoney(purse, costOf(least) ?? minimum);
    const free = unspent - purse.reserved;
    if (free < 0 || tokensFor(free) < Math.min(wanted, tokensFor(unspent))) throw reservedByOthers(purse.account);
    answer = Math.min(answer, tokensFor(free));
  }
  return { answer, money: { micros: costOf(answer) ?? minimum, minimum } };
}

const dearestInput = ({ input, cacheWrite = input }: Price): number => Math.max(input, cacheWrite);

/** The share of a call whose provider itself keeps to a limit: that of its settings, else all that is left. */
function shareOf(purses: readonly Money[], ownLimitUsd: number | undefined): Bought {
  if (purses.length === 0) return {};
  let micros = ownLimitUsd === undefined ? Number.POSITIVE_INFINITY : microsOf(ownLimitUsd);
  for (const purse of purses) {
    const unspent = (purse.cap ?? 0) - purse.spent;
    if (unspent <= 0) throw exhaustedMoney(purse, 1);
    const free = unspent - purse.reserved;
    if (free < Math.min(unspent, micros)) throw reservedByOthers(purse.account);
    micros = Math.min(micros, free);
  }
  return { money: { micros, minimum: 0 } };
}

const rateReached = ({ until, reason }: RateWait, clock: Clock): Postponed =>
  new Postponed(`${reason} Nothing was sent.`, Math.max(0, until - clock.now()));

const reservedByOthers = (account: string): Postponed =>
  new Postponed(`The rest of the budget of ${account} is reserved by other calls.`, settleWaitMs);

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
  const row = await sql.get<{ goal_id: number | null; token_budget: number | null; budget_micros: number | null }>(
    "select goal_id, token_budget, budget_micros from jobs where id = ? and attempt = ? and status = 'running'",
    job.id,
    job.attempt,
  );
  if (!row) throw new ModelError('cancelled', `Another attempt of job ${job.id} has taken over.`);
  const accounts: string[] = [];
  if (row.token_budget !== null || row.budget_micros !== null) accounts.push(`job:${job.id}`);
  if (row.goal_id !== null) accounts.push(`goal:${row.goal_id}`);
  const relay = await sql.get<{ id: string }>('select pipeline_id as id from relay_batons where job_id = ?', job.id);
  if (relay) accounts.push(relayAccount(relay.id));
  return accounts;
}
