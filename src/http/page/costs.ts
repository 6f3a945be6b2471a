import { z } from 'zod';
import { type Cost, shownCost } from '../../base/money.js';
import type { Costs } from '../../core/overview/costs.js';

const cost = {
  /** US dollars; null where nothing of it is known. */
  usd: z.number().nullable(),
  /** Calls of models whose price is unknown, which are not in it. */
  unpriced_calls: z.int(),
};

/** `costs`: what jobs have cost in equal intervals of a range, by model and by goal. */
export const costs = z.strictObject({
  stretches: z.array(z.strictObject(cost)),
  models: z.array(z.strictObject({ model: z.string(), jobs: z.int(), ...cost })),
  goals: z.array(z.strictObject({ goal_id: z.int().nullable(), name: z.string(), jobs: z.int(), ...cost })),
});

export type ShownCosts = z.infer<typeof costs>;

const showCost = (one: Cost) => ({ usd: shownCost(one), unpriced_calls: one.unpriced });

export function showCosts({ intervals, models, goals }: Costs): ShownCosts {
  return {
    stretches: intervals.map(showCost),
    models: models.map(({ model, jobs, ...one }) => ({ model, jobs, ...showCost(one) })),
    goals: goals.map(({ goalId, name, jobs, ...one }) => ({ goal_id: goalId, name, jobs, ...showCost(one) })),
  };
}
