import type { Migration } from '../schema.js';

/**
 * What calls of models cost, in millionths of a US dollar, and budgets of it beside those of tokens. What was called
 * before has no known cost.
 */
export const costs: Migration = {
  version: 23,
  name: 'costs',
  up: (schema) =>
    schema.exec(`
      alter table budgets add column cap_micros integer check (cap_micros >= 0);
      alter table budgets add column spent_micros integer not null default 0 check (spent_micros >= 0);
      -- Calls whose cost is unknown, so that it is not in the sum.
      alter table budgets add column unpriced integer not null default 0;
      -- Null where the price is unknown; never under a budget of money.
      alter table budget_reservations add column micros integer check (micros >= 0);
      alter table budget_reservations add column minimum_micros integer check (minimum_micros >= 0);
      alter table job_attempts add column cost_micros integer not null default 0;
      alter table job_attempts add column unpriced_calls integer not null default 0;
      -- JSON: the price that its last call was counted by.
      alter table job_attempts add column price text;
      alter table jobs add column cost_micros integer not null default 0;
      alter table jobs add column unpriced_calls integer not null default 0;
      alter table jobs add column budget_micros integer check (budget_micros >= 0);
      update job_attempts set unpriced_calls = 1 where input_tokens + output_tokens > 0;
      update jobs set unpriced_calls = 1 where input_tokens + output_tokens > 0;
      update budgets set unpriced = 1 where spent > 0;
    `),
};
