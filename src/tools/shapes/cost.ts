import { z } from 'zod';
import { type Cost, microsOf, shownCost, usdOf } from '../../base/money.js';
import type { Money } from '../../core/budget/ledger.js';
import type { Job } from '../../core/jobs/job.js';

/** What calls of models have cost, where some were made. */
export const costFields = {
  /** US dollars, of the calls whose price is known; null when none is, which is not 0. */
  cost_usd: z.number().nullable().optional(),
  /** Calls that are not in it, because their price is unknown. */
  unpriced_calls: z.int().optional(),
};

const costShape = z.strictObject(costFields);

export type ShownCost = z.infer<typeof costShape>;

/** @internal */
export function showCost(cost: Cost, isUsed: boolean): ShownCost {
  const { micros, unpriced } = cost;
  if (!isUsed && micros === 0 && unpriced === 0) return {};
  return { cost_usd: shownCost(cost), ...(unpriced === 0 ? {} : { unpriced_calls: unpriced }) };
}

/** Tokens are counted while a call goes on, its cost only at its end. @internal */
export const showJobCost = ({ cost, status, inputTokens, outputTokens }: Job): ShownCost =>
  showCost(cost, status !== 'running' && inputTokens + outputTokens > 0);

/** What an account may cost, and what calls under way may come to. */
export const moneyFields = {
  ...costFields,
  budget_usd: z.number().optional(),
  reserved_usd: z.number().optional(),
};

/** @internal */
export function showMoney({ cap, spent, reserved, unpriced }: Money, isUsed = false) {
  return {
    ...showCost({ micros: spent, unpriced }, isUsed),
    ...(cap === null ? {} : { budget_usd: usdOf(cap), reserved_usd: usdOf(reserved) }),
  };
}

/** A budget in US dollars. @internal */
export const budgetUsd = z.number().min(0).max(1_000_000);

/** @internal */
export function microsIn(usd: number | undefined): number | undefined;
export function microsIn(usd: number | null | undefined): number | null | undefined;
export function microsIn(usd: number | null | undefined): number | null | undefined {
  return typeof usd === 'number' ? microsOf(usd) : usd;
}
