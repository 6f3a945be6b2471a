import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';

/**
 * Tokens of an account (`goal:12`, `job:UUID`, `relay:ID`): spent, reserved for calls under way, and the cap on both
 * together. Tokens are reserved before a call and settled after it; a reservation past the cap is refused.
 */
export interface Budget {
  account: string;
  /** Null: counted, not limited. */
  cap: number | null;
  spent: number;
  reserved: number;
}

/** Opens an account, or changes its cap. */
export async function setBudget(sql: Sql, account: string, cap: number | null, at: EpochMs): Promise<void> {
  await sql.run(
    `insert into budgets (account, cap, created_at, updated_at) values (?, ?, ?, ?)
     on conflict (account) do update set cap = excluded.cap, updated_at = excluded.updated_at`,
    account,
    cap,
    at,
    at,
  );
}

/** The account's figures. An account that was never opened has nothing spent and no cap. */
export async function readBudget(sql: Sql, account: string): Promise<Budget> {
  const row = await sql.get<Budget>(
    `select account, cap, spent,
       (select coalesce(sum(tokens), 0) from budget_reservations r where r.account = b.account) as reserved
     from budgets b where account = ?`,
    account,
  );
  return row ?? { account, cap: null, spent: 0, reserved: 0 };
}

/** Tokens that a new call may still reserve; infinite without a cap. */
export function remaining({ cap, spent, reserved }: Budget): number {
  return cap === null ? Number.POSITIVE_INFINITY : Math.max(0, cap - spent - reserved);
}

export interface Reservation {
  accounts: readonly string[];
  /** The call's attempt: `job:ID:2`. Reserving again under the same name replaces the reservation. */
  holder: string;
  /** The most it can cost. */
  tokens: number;
  /** What it costs once it has begun, whatever the answer: its prompt. */
  minimum: number;
}

/** Reserves tokens for one call in each of its accounts, all or none. Throws `budget_exhausted` with the figures. */
export async function reserve(
  sql: Sql,
  { accounts, holder, tokens, minimum }: Reservation,
  at: EpochMs,
): Promise<void> {
  await release(sql, holder);
  for (const account of accounts) {
    const budget = await readBudget(sql, account);
    if (tokens > remaining(budget)) throw exhausted(budget, tokens);
  }
  for (const account of accounts) {
    await sql.run(
      'insert into budgets (account, cap, created_at, updated_at) values (?, null, ?, ?) on conflict (account) do nothing',
      account,
      at,
      at,
    );
    await insertRow(sql, 'budget_reservations', { account, holder, tokens, minimum, created_at: at });
  }
}

/** Replaces the reservation of a call that is over by what it used, in every account that has one. */
export async function settle(sql: Sql, holder: string, used: number, at: EpochMs): Promise<void> {
  await sql.run(
    `update budgets set spent = spent + ?, updated_at = ?
     where account in (select account from budget_reservations where holder = ?)`,
    used,
    at,
    holder,
  );
  await release(sql, holder);
}

/** The reservation of a call; undefined once it is settled, or if none was made. */
export async function reservationOf(
  sql: Sql,
  holder: string,
): Promise<Pick<Reservation, 'tokens' | 'minimum'> | undefined> {
  return sql.get('select tokens, minimum from budget_reservations where holder = ? limit 1', holder);
}

/**
 * Tokens of a text, for a reservation before the provider has counted. It should not fall short: English has four bytes
 * a token, code three to four, and a Chinese character of three bytes is one token.
 */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** Below this an answer is not worth its prompt. */
export const leastAnswerTokens = 64;

/** Removes the reservation of a call that was not made. */
export async function release(sql: Sql, holder: string): Promise<void> {
  await sql.run('delete from budget_reservations where holder = ?', holder);
}

/** Counts tokens that were spent without a reservation, such as those that a session reports. */
export async function spend(sql: Sql, account: string, tokens: number, at: EpochMs): Promise<void> {
  await sql.run(
    `insert into budgets (account, cap, spent, created_at, updated_at) values (?, null, ?, ?, ?)
     on conflict (account) do update set spent = budgets.spent + excluded.spent, updated_at = excluded.updated_at`,
    account,
    tokens,
    at,
    at,
  );
}

/** Deletes an account whose goal, job or relay is deleted. */
export async function closeAccount(sql: Sql, account: string): Promise<void> {
  await sql.run('delete from budgets where account = ?', account);
}

/** The error for a reservation that does not fit. */
export function exhausted(budget: Budget, wanted: number): RuntimeError {
  return new RuntimeError(
    'budget_exhausted',
    `The token budget of ${budget.account} does not allow ${wanted} more tokens: ` +
      `${budget.spent} spent and ${budget.reserved} reserved of ${budget.cap}.`,
    `${raiseBudget(budget.account)}, or ask for fewer max_tokens.`,
  );
}

/** How the budget of an account is raised: the beginning of a sentence. */
export function raiseBudget(account: string): string {
  const [kind, id = ''] = account.split(/:(.*)/s);
  switch (kind) {
    case 'job':
      return `Call retry_task with task_id ${id} and a higher token_budget`;
    case 'goal':
      return `Call update_goal with goal_id ${id} and a higher token_budget`;
    default:
      return `Call run_relay with pipeline_id ${id} and a higher token_budget`;
  }
}
