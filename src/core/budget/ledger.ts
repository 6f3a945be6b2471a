import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';

/**
 * Tokens of an account (`goal:12`, `job:UUID`, `relay:ID`): what was spent, what is promised to calls under way, and
 * the cap on both together. Reserved before a call, settled after it, refused past the cap.
 */
export interface Budget {
  account: string;
  /** Absent: counted, not limited. */
  cap: number | null;
  spent: number;
  reserved: number;
}

interface BudgetRow {
  account: string;
  cap: number | null;
  spent: number;
  reserved: number;
}

/** Opens an account, or changes its cap. */
export async function setBudget(sql: Sql, account: string, cap: number | null, at: number): Promise<void> {
  await sql.run(
    `insert into budgets (account, cap, created_at, updated_at) values (?, ?, ?, ?)
     on conflict (account) do update set cap = excluded.cap, updated_at = excluded.updated_at`,
    account,
    cap,
    at,
    at,
  );
}

/** The account's figures; nothing spent and no cap if it was never opened. */
export async function readBudget(sql: Sql, account: string): Promise<Budget> {
  const row = await sql.get<BudgetRow>(
    `select account, cap, spent,
       (select coalesce(sum(tokens), 0) from budget_reservations r where r.account = b.account) as reserved
     from budgets b where account = ?`,
    account,
  );
  return row ?? { account, cap: null, spent: 0, reserved: 0 };
}

/** Tokens that a new call may still take; infinite without a cap. */
export function remaining({ cap, spent, reserved }: Budget): number {
  return cap === null ? Number.POSITIVE_INFINITY : Math.max(0, cap - spent - reserved);
}

export interface Reservation {
  accounts: readonly string[];
  /** The call, and so the attempt: `job:ID:2`. Reserving again under the same name replaces its promise. */
  holder: string;
  /** The most it can cost. */
  tokens: number;
  /** What it costs once it has begun, whatever comes back: its prompt. */
  minimum: number;
}

/** Promises tokens to one call in each of its accounts, all or none. Throws `budget_exhausted` with the figures. */
export async function reserve(sql: Sql, { accounts, holder, tokens, minimum }: Reservation, at: number): Promise<void> {
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
    await sql.run(
      'insert into budget_reservations (account, holder, tokens, minimum, created_at) values (?, ?, ?, ?, ?)',
      account,
      holder,
      tokens,
      minimum,
      at,
    );
  }
}

/** The call is over: its promise is replaced by what it used, in every account that had promised. */
export async function settle(sql: Sql, holder: string, used: number, at: number): Promise<void> {
  await sql.run(
    `update budgets set spent = spent + ?, updated_at = ?
     where account in (select account from budget_reservations where holder = ?)`,
    used,
    at,
    holder,
  );
  await release(sql, holder);
}

/** What is still promised to a call; nothing when it was settled or never made. */
export async function reservationOf(
  sql: Sql,
  holder: string,
): Promise<{ tokens: number; minimum: number } | undefined> {
  return sql.get('select tokens, minimum from budget_reservations where holder = ? limit 1', holder);
}

/**
 * Tokens of a text for promises made before a provider has counted. A promise should not fall short: English has four
 * bytes a token, code three to four, and a Chinese character of three bytes is one token.
 */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** Below this an answer is not worth its prompt. */
export const leastAnswerTokens = 64;

/** The call was never made. */
export async function release(sql: Sql, holder: string): Promise<void> {
  await sql.run('delete from budget_reservations where holder = ?', holder);
}

/** Counts tokens that were spent without a reservation, as those a session reports. */
export async function spend(sql: Sql, account: string, tokens: number, at: number): Promise<void> {
  await sql.run(
    `insert into budgets (account, cap, spent, created_at, updated_at) values (?, null, ?, ?, ?)
     on conflict (account) do update set spent = budgets.spent + excluded.spent, updated_at = excluded.updated_at`,
    account,
    tokens,
    at,
    at,
  );
}

export function exhausted(budget: Budget, wanted: number): RuntimeError {
  return new RuntimeError(
    'budget_exhausted',
    `The token budget of ${budget.account} does not allow ${wanted} more tokens: ` +
      `${budget.spent} spent and ${budget.reserved} reserved of ${budget.cap}.`,
    'Raise the token_budget, or ask for fewer max_tokens.',
  );
}
