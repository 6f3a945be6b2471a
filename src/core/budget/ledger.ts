import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type Cost, dollars, type Micros, noCost } from '../../base/money.js';
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

/** Money of an account, in millionths of a US dollar: what it has spent beside its tokens, and the cap on that. */
export interface Money {
  account: string;
  /** Null: counted, not limited. */
  cap: Micros | null;
  spent: Micros;
  reserved: Micros;
  /** Calls whose cost is unknown and not in `spent`. */
  unpriced: number;
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

/** Opens an account, or changes its cap in money. */
export async function setMoneyBudget(sql: Sql, account: string, cap: Micros | null, at: EpochMs): Promise<void> {
  await sql.run(
    `insert into budgets (account, cap_micros, created_at, updated_at) values (?, ?, ?, ?)
     on conflict (account) do update set cap_micros = excluded.cap_micros, updated_at = excluded.updated_at`,
    account,
    cap,
    at,
    at,
  );
}

/** The account's money. An account that was never opened has nothing spent and no cap. */
export async function readMoney(sql: Sql, account: string): Promise<Money> {
  const row = await sql.get<Money>(
    `select account, cap_micros as cap, spent_micros as spent, unpriced,
       (select coalesce(sum(micros), 0) from budget_reservations r where r.account = b.account) as reserved
     from budgets b where account = ?`,
    account,
  );
  return row ?? { account, cap: null, spent: 0, reserved: 0, unpriced: 0 };
}

/** Tokens or money that a new call may still reserve; infinite without a cap. */
export function remaining({ cap, spent, reserved }: Pick<Budget, 'cap' | 'spent' | 'reserved'>): number {
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
  /** The same in money; absent where its price is unknown. */
  money?: ReservedMoney | undefined;
}

export interface ReservedMoney {
  micros: Micros;
  minimum: Micros;
}

/**
 * Reserves tokens and money for one call in each of its accounts, all or none. Throws `budget_exhausted` with the figures;
 * `not_configured` for a call of unknown price where an account has a budget of money.
 */
export async function reserve(
  sql: Sql,
  { accounts, holder, tokens, minimum, money }: Reservation,
  at: EpochMs,
): Promise<void> {
  await release(sql, holder);
  for (const account of accounts) {
    const budget = await readBudget(sql, account);
    if (tokens > remaining(budget)) throw exhausted(budget, tokens);
    const purse = await readMoney(sql, account);
    if (purse.cap === null) continue;
    if (!money) throw unpriced(account);
    if (money.micros > remaining(purse)) throw exhaustedMoney(purse, money.micros);
  }
  for (const account of accounts) {
    await sql.run(
      'insert into budgets (account, cap, created_at, updated_at) values (?, null, ?, ?) on conflict (account) do nothing',
      account,
      at,
      at,
    );
    await insertRow(sql, 'budget_reservations', {
      ...{ account, holder, tokens, minimum, created_at: at },
      micros: money?.micros ?? null,
      minimum_micros: money?.minimum ?? null,
    });
  }
}

/** Replaces the reservation of a call that is over by what it used and cost, in every account that has one. */
export async function settle(
  sql: Sql,
  holder: string,
  used: number,
  at: EpochMs,
  { micros, unpriced }: Cost = noCost,
): Promise<void> {
  await sql.run(
    `update budgets set spent = spent + ?, spent_micros = spent_micros + ?, unpriced = unpriced + ?, updated_at = ?
     where account in (select account from budget_reservations where holder = ?)`,
    used,
    micros,
    unpriced,
    at,
    holder,
  );
  await release(sql, holder);
}

/** The reservation of a call; undefined once it is settled, or if none was made. */
export async function reservationOf(
  sql: Sql,
  holder: string,
): Promise<Pick<Reservation, 'tokens' | 'minimum' | 'money'> | undefined> {
  const row = await sql.get<ReservationRow>(
    'select tokens, minimum, micros, minimum_micros from budget_reservations where holder = ? limit 1',
    holder,
  );
  if (!row) return undefined;
  const { tokens, minimum, micros, minimum_micros: least } = row;
  return { tokens, minimum, ...(micros === null ? {} : { money: { micros, minimum: least ?? 0 } }) };
}

/** Those of some holders that have tokens reserved. */
export async function reservationsOf(sql: Sql, holders: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.all<{ holder: string }>(
    `select distinct holder from budget_reservations where holder in (${holders.map(() => '?').join(', ')})`,
    ...holders,
  );
  return new Set(rows.map(({ holder }) => holder));
}

interface ReservationRow {
  tokens: number;
  minimum: number;
  micros: Micros | null;
  minimum_micros: Micros | null;
}

/** What tokens of a call that was lost have cost, at the rates that it was reserved with. */
export function costAsReserved(
  { tokens, minimum, money }: Pick<Reservation, 'tokens' | 'minimum' | 'money'>,
  used: { inputTokens: number; outputTokens: number },
): Cost {
  if (used.inputTokens + used.outputTokens === 0) return noCost;
  if (!money) return { micros: 0, unpriced: 1 };
  const perInput = minimum === 0 ? 0 : money.minimum / minimum;
  const perOutput = tokens === minimum ? 0 : (money.micros - money.minimum) / (tokens - minimum);
  return { micros: Math.ceil(used.inputTokens * perInput + used.outputTokens * perOutput), unpriced: 0 };
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

/**
 * Counts what was spent without a reservation, such as the tokens that a session reports.
 *
 * @param cost of which nothing is known unless given
 */
export async function spend(sql: Sql, account: string, tokens: number, at: EpochMs, cost?: Cost): Promise<void> {
  const { micros, unpriced } = cost ?? { micros: 0, unpriced: tokens > 0 ? 1 : 0 };
  await sql.run(
    `insert into budgets (account, cap, spent, spent_micros, unpriced, created_at, updated_at)
     values (?, null, ?, ?, ?, ?, ?)
     on conflict (account) do update set spent = budgets.spent + excluded.spent,
       spent_micros = budgets.spent_micros + excluded.spent_micros, unpriced = budgets.unpriced + excluded.unpriced,
       updated_at = excluded.updated_at`,
    account,
    tokens,
    micros,
    unpriced,
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

/** The error for a reservation of money that does not fit. */
export function exhaustedMoney({ account, cap, spent, reserved }: Money, wanted: Micros): RuntimeError {
  return new RuntimeError(
    'budget_exhausted',
    `The budget of ${account} does not allow ${dollars(wanted)} more: ` +
      `${dollars(spent)} spent and ${dollars(reserved)} reserved of ${dollars(cap ?? 0)}.`,
    `${raiseBudget(account, 'budget_usd')}, or ask for fewer max_tokens.`,
  );
}

/** The error for a call that may cost anything, where an account has a budget of money. */
export function unpriced(account: string, model = 'this model'): RuntimeError {
  return new RuntimeError(
    'not_configured',
    `${account} has a budget in US dollars, and no price is known of ${model}, so it was not called.`,
    `Set it in the config file, such as "prices": { "${model}": { "input": 1, "output": 5 } } for a million tokens each; 0 for one that costs nothing.`,
  );
}

/** How the budget of an account is raised: the beginning of a sentence. */
export function raiseBudget(account: string, budget: 'token_budget' | 'budget_usd' = 'token_budget'): string {
  const [kind, id = ''] = account.split(/:(.*)/s);
  switch (kind) {
    case 'job':
      return `Call retry_task with task_id ${id} and a higher ${budget}`;
    case 'goal':
      return `Call update_goal with goal_id ${id} and a higher ${budget}`;
    default:
      return `Call run_relay with pipeline_id ${id} and a higher ${budget}`;
  }
}
