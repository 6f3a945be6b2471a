import type { Clock, EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { RateReport } from '../ports.js';

/** How often a provider may be called within any 60 seconds, as the config file has it. */
export interface RateLimit {
  requestsPerMinute?: number | undefined;
  /** Of prompts and answers together. */
  tokensPerMinute?: number | undefined;
}

/** A call to be made: the tokens of its prompt, and the most that its answer may have. */
export interface RatedCall {
  provider: string;
  promptTokens: number;
  answerTokens: number;
}

/** A call that was let through. */
export interface RateTicket {
  provider: string;
  /** Counts the calls of the provider. */
  number: number;
  second: number;
  /** Counted for it until it ends. */
  tokens: number;
}

/** Until when a provider is not called, and the sentence that says why. */
export interface RateWait {
  until: EpochMs;
  reason: string;
}

interface RateRow {
  provider: string;
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  calls: number;
  requests_left: number | null;
  requests_reset_at: number | null;
  tokens_left: number | null;
  tokens_reset_at: number | null;
  retry_at: number | null;
}

interface Use {
  second: number;
  requests: number;
  tokens: number;
}

const secondOf = (clock: Clock): number => Math.floor(clock.now() / 1000);

/** A vendor that says more is not believed, and neither is one whose time was written before the clock was set back. */
const longestWaitMs = 86_400_000;

/**
 * Counts a call of a provider, or says how long it has to wait for the limits of the config file and for what the vendor has
 * said. Undefined where no limit is known. A call that is greater than a limit alone is made when nothing else has used it.
 */
export async function takeCall(
  sql: Sql,
  call: RatedCall,
  limit: RateLimit | undefined,
  clock: Clock,
): Promise<{ ticket: RateTicket } | { wait: RateWait } | undefined> {
  const { provider, promptTokens, answerTokens } = call;
  const known = await sql.get<RateRow>('select * from rate_limits where provider = ?', provider);
  if (!known && !limit) return undefined;
  const { requestsPerMinute = null, tokensPerMinute = null } = limit ?? {};
  const row = {
    ...(known ?? unknownRate(provider)),
    requests_per_minute: requestsPerMinute,
    tokens_per_minute: tokensPerMinute,
  };
  const tokens = promptTokens + answerTokens;
  const uses = await readUses(sql, row, clock);
  const wait = waitOf(row, uses, { window: tokens, vendor: promptTokens }, clock);
  if (wait) return { wait };
  const second = secondOf(clock);
  const counted = await sql.get<{ calls: number }>(
    `insert into rate_limits (provider, requests_per_minute, tokens_per_minute, calls, updated_at) values (?, ?, ?, 1, ?)
     on conflict (provider) do update set requests_per_minute = excluded.requests_per_minute,
       tokens_per_minute = excluded.tokens_per_minute, calls = rate_limits.calls + 1,
       requests_left = rate_limits.requests_left - 1, tokens_left = rate_limits.tokens_left - ?,
       updated_at = excluded.updated_at
     returning calls`,
    provider,
    requestsPerMinute,
    tokensPerMinute,
    clock.now(),
    promptTokens,
  );
  if (limit) await addUse(sql, { provider, second, tokens }, clock);
  return { ticket: { provider, number: counted?.calls ?? 1, second, tokens } };
}

const unknownRate = (provider: string): RateRow => ({
  ...{ provider, requests_per_minute: null, tokens_per_minute: null, calls: 0 },
  ...{ requests_left: null, requests_reset_at: null, tokens_left: null, tokens_reset_at: null, retry_at: null },
});

async function addUse(
  sql: Sql,
  { provider, second, tokens }: Pick<RateTicket, 'provider' | 'second' | 'tokens'>,
  clock: Clock,
): Promise<void> {
  const now = secondOf(clock);
  await sql.run('delete from rate_uses where provider = ? and (second < ? or second > ?)', provider, now - 60, now + 5);
  await sql.run(
    `insert into rate_uses (provider, second, requests, tokens) values (?, ?, 1, ?)
     on conflict (provider, second) do update set requests = rate_uses.requests + 1,
       tokens = rate_uses.tokens + excluded.tokens`,
    provider,
    second,
    tokens,
  );
}

/** What a call has really used takes the place of what was counted for it. */
export async function settleCall(
  sql: Sql,
  { provider, second, tokens }: RateTicket,
  used: { inputTokens: number; outputTokens: number },
): Promise<void> {
  await sql.run(
    'update rate_uses set tokens = tokens + cast(? as bigint) where provider = ? and second = ?',
    used.inputTokens + used.outputTokens - tokens,
    provider,
    second,
  );
}

/**
 * Keeps what a vendor has said in an answer. Of the calls that were begun after that one it may know or not: they count as
 * unknown to it until their own answers come.
 */
export async function recordReport(
  sql: Sql,
  provider: string,
  ticket: RateTicket | undefined,
  { requests, tokens, retryAfterMs }: RateReport,
  clock: Clock,
): Promise<void> {
  const now = clock.now();
  const row = await sql.get<RateRow>('select * from rate_limits where provider = ?', provider);
  const since = ticket && row ? row.calls - ticket.number : 0;
  const at = (ms: number | undefined) => (ms === undefined ? null : now + Math.min(ms, longestWaitMs));
  await sql.run(
    `insert into rate_limits (provider, requests_left, requests_reset_at, tokens_left, tokens_reset_at, retry_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?)
     on conflict (provider) do update set requests_left = excluded.requests_left,
       requests_reset_at = excluded.requests_reset_at, tokens_left = excluded.tokens_left,
       tokens_reset_at = excluded.tokens_reset_at, retry_at = coalesce(excluded.retry_at, rate_limits.retry_at),
       updated_at = excluded.updated_at`,
    provider,
    requests ? Math.max(0, requests.left - since) : null,
    at(requests?.resetMs),
    tokens?.left ?? null,
    at(tokens?.resetMs),
    at(retryAfterMs),
    now,
  );
}

/** What a provider lets through now. */
export interface RateGate {
  /** Calls that may be begun; 0 while `wait` says. */
  calls: number;
  wait: RateWait | undefined;
}

/** The providers that have a limit, by their ids. */
export async function readRateGates(sql: Sql, clock: Clock): Promise<ReadonlyMap<string, RateGate>> {
  const rows = await sql.all<RateRow>('select * from rate_limits');
  const gates = new Map<string, RateGate>();
  for (const row of rows) {
    const uses = await readUses(sql, row, clock);
    const wait = waitOf(row, uses, { window: 1, vendor: 1 }, clock);
    const own = (row.requests_per_minute ?? Number.POSITIVE_INFINITY) - sum(uses, 'requests');
    const vendors = isAhead(row.requests_reset_at, clock) ? (row.requests_left ?? own) : own;
    gates.set(row.provider, { calls: wait ? 0 : Math.max(1, Math.min(own, vendors)), wait });
  }
  return gates;
}

/** The uses that may lie within the last 60 seconds, oldest first. */
async function readUses(sql: Sql, row: RateRow, clock: Clock): Promise<Use[]> {
  if (row.requests_per_minute === null && row.tokens_per_minute === null) return [];
  const now = secondOf(clock);
  return sql.all<Use>(
    'select second, requests, tokens from rate_uses where provider = ? and second between ? and ? order by second',
    row.provider,
    now - 60,
    now + 5,
  );
}

function waitOf(
  row: RateRow,
  uses: readonly Use[],
  tokens: { window: number; vendor: number },
  clock: Clock,
): RateWait | undefined {
  const { provider, requests_per_minute: requests, tokens_per_minute: most } = row;
  const reached = (what: string) => `The rate limit of ${provider} is reached: ${what}.`;
  const waits = [
    windowWait(uses, 'requests', 1, requests, reached(`${counted(requests, 'request')} a minute`)),
    windowWait(uses, 'tokens', tokens.window, most, reached(`${counted(most, 'token')} a minute`)),
    vendorWait(
      row.requests_left,
      row.requests_reset_at,
      1,
      reached(`its last answer left ${counted(row.requests_left, 'request')}`),
      clock,
    ),
    vendorWait(
      row.tokens_left,
      row.tokens_reset_at,
      tokens.vendor,
      reached(`its last answer left ${counted(row.tokens_left, 'token')}`),
      clock,
    ),
    vendorWait(0, row.retry_at, 1, reached('it asked to be called later'), clock),
  ];
  const known = waits.filter((wait) => wait !== undefined);
  return known.sort((one, other) => other.until - one.until)[0];
}

const counted = (count: number | null, what: string): string =>
  `${Math.max(0, count ?? 0)} ${count === 1 ? what : `${what}s`}`;

/** When so much of a limit of any 60 seconds is free: as the oldest uses leave them. */
function windowWait(
  uses: readonly Use[],
  what: 'requests' | 'tokens',
  wanted: number,
  limit: number | null,
  reason: string,
): RateWait | undefined {
  let used = sum(uses, what);
  if (limit === null || used <= 0 || used + wanted <= limit) return undefined;
  for (const use of uses) {
    used -= use[what];
    // A use counts for its whole second.
    if (used <= 0 || used + wanted <= limit) return { until: (use.second + 61) * 1000, reason };
  }
  return undefined;
}

function vendorWait(
  left: number | null,
  until: number | null,
  wanted: number,
  reason: string,
  clock: Clock,
): RateWait | undefined {
  return left !== null && left < wanted && until !== null && isAhead(until, clock) ? { until, reason } : undefined;
}

function isAhead(until: number | null, clock: Clock): boolean {
  return until !== null && until > clock.now() && until <= clock.now() + longestWaitMs;
}

const sum = (uses: readonly Use[], what: 'requests' | 'tokens'): number =>
  uses.reduce((total, use) => total + use[what], 0);
