import type { Clock, EpochMs } from '../../base/clock.js';
import { count, type Increment, observeMany, raise, raising } from '../../core/metrics/counters.js';
import type { Database, Statement } from '../../store/sql.js';

export type CallSource = 'native' | 'primary' | 'backup' | 'cache';

/** ok: answered. error: the tool itself reported a failure. failed: no answer. */
export type CallOutcomeKind = 'ok' | 'error' | 'failed';

export interface CountedCall {
  tool: string;
  source: CallSource | 'none';
  instance: string;
  outcome: CallOutcomeKind;
  ms: number;
}

/** How a source has answered lately; older calls count less. */
export interface Score {
  /** 0 to 1. */
  errorRate: number;
  latencyMs: number;
  /** The number of calls behind it, weighted by age. */
  weight: number;
}

/** Scores by `scoreKey`. */
export type Scores = ReadonlyMap<string, Score>;

/** Counts of calls, and how long those took that were answered. */
export interface InstanceStats {
  calls: number;
  failed: number;
  toolErrors: number;
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
}

export interface CallStats extends InstanceStats {
  tool: string;
  source: string;
  instance: string;
}

const minuteMs = 60_000;
/** A call this long ago counts half. */
const halfLifeMs = 5 * minuteMs;
const horizonMs = 30 * minuteMs;
/** How long the scores of one read are used. */
const freshMs = 2_000;
const oldestMs = 7 * 86_400_000;

interface Counter {
  calls: number;
  totalMs: number;
  values: [minuteAt: EpochMs, tool: string, source: string, instance: string, outcome: string, bucket: number];
}

interface Count {
  outcome: CallOutcomeKind;
  bucket: number;
  calls: number;
  total_ms: number;
}

interface Row extends Count {
  minute_at: EpochMs;
  tool: string;
  source: string;
  instance: string;
}

/**
 * Counts calls by minute and duration, in the database that all sessions share and choose their sources by. The counts
 * are written in batches: one write a call would take as long as the call.
 */
export class CallMetrics {
  readonly #db: Database;
  readonly #clock: Clock;
  #unwritten = new Map<string, Counter>();
  #scores: { readAt: number; scores: Promise<Scores> } | undefined;

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  record({ tool, source, instance, outcome, ms }: CountedCall): void {
    const minuteAt = Math.floor(this.#clock.now() / minuteMs) * minuteMs;
    const bucket = bucketOf(ms);
    const key = `${minuteAt} ${tool} ${source} ${instance} ${outcome} ${bucket}`;
    const values: Counter['values'] = [minuteAt, tool, source, instance, outcome, bucket];
    this.#add(key, { calls: 1, totalMs: ms, values });
  }

  /** The scores of all sources, at most two seconds old. */
  scores(): Promise<Scores> {
    if (!this.#scores || performance.now() - this.#scores.readAt > freshMs) {
      this.#scores = { readAt: performance.now(), scores: this.#readScores() };
      this.#scores.scores.catch(() => {
        this.#scores = undefined;
      });
    }
    return this.#scores.scores;
  }

  /** The calls of the last `sinceMs` by tool, source and instance, the most called first. `tool` may lack its server. */
  async stats(filter: { tool?: string | undefined; sinceMs: number }): Promise<CallStats[]> {
    await this.flush();
    const tool = filter.tool ?? '';
    const rows = await this.#db.all<Row>(
      `select tool, source, instance, outcome, bucket, sum(calls) as calls, sum(total_ms) as total_ms
       from tool_calls where minute_at > ? and (? = '' or tool = ? or tool like '%.' || ?)
       group by tool, source, instance, outcome, bucket`,
      this.#clock.now() - filter.sinceMs - minuteMs,
      tool,
      tool,
      tool,
    );
    const groups = groupBy(rows, (row) => `${row.tool} ${row.source} ${row.instance}`);
    return [...groups.values()].map(toStats).sort((one, other) => other.calls - one.calls);
  }

  /** The calls of the last `sinceMs` by instance, all tools together. */
  async byInstance(sinceMs: number): Promise<ReadonlyMap<string, InstanceStats>> {
    await this.flush();
    const rows = await this.#db.all<Count & { instance: string }>(
      `select instance, outcome, bucket, sum(calls) as calls, sum(total_ms) as total_ms
       from tool_calls where minute_at > ? group by instance, outcome, bucket`,
      this.#clock.now() - sinceMs - minuteMs,
    );
    return new Map([...groupBy(rows, ({ instance }) => instance)].map(([id, group]) => [id, countCalls(group)]));
  }

  hasUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Writes the counts. They stay in memory if that fails. */
  async flush(): Promise<void> {
    const counters = this.#unwritten;
    if (counters.size === 0) return;
    this.#unwritten = new Map();
    try {
      await this.#db.transaction(async (sql) => {
        for (const { text, values } of statementsOf(counters)) await sql.run(text, ...values);
        await raise(sql, incrementsOf(counters));
        await sql.run('delete from tool_calls where minute_at < ?', this.#clock.now() - oldestMs);
      });
    } catch (error) {
      for (const [key, counter] of counters) this.#add(key, counter);
      throw error;
    }
  }

  /** The writes that are due, for a process that ends. */
  statements(): Statement[] {
    const increments = incrementsOf(this.#unwritten);
    return [...statementsOf(this.#unwritten), ...(increments.length === 0 ? [] : [raising(increments)])];
  }

  #add(key: string, counter: Counter): void {
    const known = this.#unwritten.get(key);
    if (known) {
      known.calls += counter.calls;
      known.totalMs += counter.totalMs;
    } else this.#unwritten.set(key, counter);
  }

  async #readScores(): Promise<Scores> {
    const now = this.#clock.now();
    const rows = await this.#db.all<Row>(
      "select * from tool_calls where minute_at >= ? and source in ('native', 'primary', 'backup')",
      now - horizonMs,
    );
    const groups = groupBy(rows, ({ tool, instance }) => scoreKey(tool, instance));
    return new Map([...groups].map(([key, group]) => [key, toScore(group, now)]));
  }
}

/** The instances of a server share a score, because the next call may go to any of them. */
export function scoreKey(tool: string, instance: string): string {
  return `${tool} ${instance.replace(/#\d+$/, '')}`;
}

/** Four buckets to a doubling of the time, so that a percentile is within a fifth of the truth. */
const bucketOf = (ms: number): number => Math.round(4 * Math.log2(Math.max(ms, 0.1)));
const msOf = (bucket: number): number => 2 ** (bucket / 4);

const upsert = `insert into tool_calls (minute_at, tool, source, instance, outcome, bucket, calls, total_ms)
  values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (minute_at, tool, source, instance, outcome, bucket)
  do update set calls = tool_calls.calls + excluded.calls, total_ms = tool_calls.total_ms + excluded.total_ms`;

function statementsOf(counters: ReadonlyMap<string, Counter>): Statement[] {
  return [...counters.values()].map(({ values, calls, totalMs }) => ({
    text: upsert,
    values: [...values, calls, totalMs],
  }));
}

/** The same calls for Prometheus, whose figures never fall: the table forgets after a week. */
function incrementsOf(counters: ReadonlyMap<string, Counter>): Increment[] {
  return [...counters.values()].flatMap(({ calls, totalMs, values: [, , source, of, status, bucket] }) => {
    if (source !== 'primary' && source !== 'backup') return [];
    // `github#2` is the second instance of a server; a call that found none has no number.
    const [server = '', instance = ''] = of.split('#');
    const counted = count('tool_server_calls_total', { server, instance, status }, calls);
    if (status === 'failed') return [counted];
    const times = { seconds: msOf(bucket) / 1_000, times: calls, total: totalMs / 1_000 };
    return [counted, ...observeMany('tool_server_call_seconds', { server, instance }, times)];
  });
}

function groupBy<Given>(rows: readonly Given[], keyOf: (row: Given) => string): Map<string, Given[]> {
  const groups = new Map<string, Given[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}

function toScore(rows: readonly Row[], now: EpochMs): Score {
  let weight = 0;
  let failed = 0;
  let answered = 0;
  let answeredMs = 0;
  for (const row of rows) {
    const factor = 0.5 ** (Math.max(0, now - row.minute_at) / halfLifeMs);
    weight += factor * row.calls;
    if (row.outcome === 'failed') failed += factor * row.calls;
    else {
      answered += factor * row.calls;
      answeredMs += factor * row.total_ms;
    }
  }
  const latencyMs = answered > 0 ? answeredMs / answered : Number.POSITIVE_INFINITY;
  return { weight, errorRate: failed / weight, latencyMs };
}

function toStats(rows: readonly Row[]): CallStats {
  const [{ tool, source, instance } = { tool: '', source: '', instance: '' }] = rows;
  return { tool, source, instance, ...countCalls(rows) };
}

function countCalls(rows: readonly Count[]): InstanceStats {
  const callsOf = (found: readonly Count[]) => found.reduce((sum, { calls }) => sum + calls, 0);
  const withOutcome = (kind: CallOutcomeKind) => rows.filter(({ outcome }) => outcome === kind);
  const answered = rows.filter(({ outcome }) => outcome !== 'failed').sort((one, other) => one.bucket - other.bucket);
  const answers = callsOf(answered);
  return {
    calls: callsOf(rows),
    failed: callsOf(withOutcome('failed')),
    toolErrors: callsOf(withOutcome('error')),
    meanMs: answers === 0 ? 0 : answered.reduce((sum, row) => sum + row.total_ms, 0) / answers,
    p50Ms: percentile(answered, 0.5 * answers),
    p95Ms: percentile(answered, 0.95 * answers),
  };
}

/** The duration that so many of the calls did not exceed; the rows are in the order of their buckets. */
function percentile(rows: readonly Count[], count: number): number {
  let passed = 0;
  for (const { calls, bucket } of rows) {
    passed += calls;
    if (passed >= count) return msOf(bucket);
  }
  return 0;
}
