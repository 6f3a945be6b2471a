import type { Clock } from '../../base/clock.js';
import type { Database, Statement } from '../../store/sql.js';

export type CallSource = 'native' | 'primary' | 'backup' | 'cache';

/** ok: answered. error: the tool itself says that it failed. failed: no answer. */
export type CallOutcomeKind = 'ok' | 'error' | 'failed';

export interface LoggedCall {
  tool: string;
  source: CallSource | 'none';
  instance: string;
  outcome: CallOutcomeKind;
  ms: number;
}

/** How a source of answers has done of late, what is long ago counting less. */
export interface Score {
  /** 0 to 1. */
  errorRate: number;
  latencyMs: number;
  /** How many calls that rests on, weighed by age. */
  weight: number;
}

export interface CallStats {
  tool: string;
  source: string;
  instance: string;
  calls: number;
  failed: number;
  toolErrors: number;
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
}

export type CallLog = ReturnType<typeof createCallLog>;

const minuteMs = 60_000;
/** What happened this long ago counts half. */
const halfLifeMs = 5 * minuteMs;
const horizonMs = 30 * minuteMs;
const freshMs = 2_000;
const oldestMs = 7 * 86_400_000;

interface Counter {
  calls: number;
  totalMs: number;
  values: [minuteAt: number, tool: string, source: string, instance: string, outcome: string, bucket: number];
}

interface Row {
  minute_at: number;
  tool: string;
  source: string;
  instance: string;
  outcome: CallOutcomeKind;
  bucket: number;
  calls: number;
  total_ms: number;
}

/**
 * Counts calls by minute and duration, in the database that all sessions share: what they all go by when they choose.
 * Written in batches, for a write a call would take as long as the call.
 */
export function createCallLog({ db, clock }: { db: Database; clock: Clock }) {
  let waiting = new Map<string, Counter>();
  let scored: { at: number; byServer: Promise<Map<string, Score>> } | undefined;

  function* statements(counters: Iterable<Counter>): Generator<Statement> {
    for (const { values, calls, totalMs } of counters) yield { text: upsert, values: [...values, calls, totalMs] };
  }

  async function scores(): Promise<Map<string, Score>> {
    const now = clock.now();
    const rows = await db.all<Row>(
      "select * from tool_calls where minute_at >= ? and source in ('native', 'primary', 'backup')",
      now - horizonMs,
    );
    const sums = new Map<string, { weight: number; failed: number; ms: number; answered: number }>();
    for (const row of rows) {
      const key = scoreKey(row.tool, row.instance);
      const sum = sums.get(key) ?? { weight: 0, failed: 0, ms: 0, answered: 0 };
      const weight = 0.5 ** (Math.max(0, now - row.minute_at) / halfLifeMs);
      sum.weight += weight * row.calls;
      if (row.outcome === 'failed') sum.failed += weight * row.calls;
      else {
        sum.ms += weight * row.total_ms;
        sum.answered += weight * row.calls;
      }
      sums.set(key, sum);
    }
    return new Map(
      [...sums].map(([key, { weight, failed, ms, answered }]) => [
        key,
        { weight, errorRate: failed / weight, latencyMs: answered > 0 ? ms / answered : Number.POSITIVE_INFINITY },
      ]),
    );
  }

  return {
    note({ tool, source, instance, outcome, ms }: LoggedCall): void {
      const minuteAt = Math.floor(clock.now() / minuteMs) * minuteMs;
      const bucket = bucketOf(ms);
      const key = `${minuteAt} ${tool} ${source} ${instance} ${outcome} ${bucket}`;
      const counter = waiting.get(key);
      if (counter) {
        counter.calls++;
        counter.totalMs += ms;
      } else waiting.set(key, { calls: 1, totalMs: ms, values: [minuteAt, tool, source, instance, outcome, bucket] });
    },

    /** By `scoreKey`; a look at the table every few seconds is enough to choose by. */
    scores(): Promise<Map<string, Score>> {
      if (!scored || performance.now() - scored.at > freshMs) {
        scored = { at: performance.now(), byServer: scores() };
        scored.byServer.catch(() => {
          scored = undefined;
        });
      }
      return scored.byServer;
    },

    /** What was called within a time, by tool, source and instance; the most called first. */
    async stats(filter: { tool?: string | undefined; sinceMs: number }): Promise<CallStats[]> {
      await this.flush();
      const rows = await db.all<Row>(
        `select tool, source, instance, outcome, bucket, sum(calls) as calls, sum(total_ms) as total_ms
         from tool_calls where minute_at > ? and (? = '' or tool = ? or tool like '%.' || ?)
         group by tool, source, instance, outcome, bucket`,
        clock.now() - filter.sinceMs - minuteMs,
        filter.tool ?? '',
        filter.tool ?? '',
        filter.tool ?? '',
      );
      const groups = new Map<string, Row[]>();
      for (const row of rows) groups.set(groupOf(row), [...(groups.get(groupOf(row)) ?? []), row]);
      return [...groups.values()].map(toStats).sort((one, other) => other.calls - one.calls);
    },

    isDue: () => waiting.size > 0,

    async flush(): Promise<void> {
      const counters = waiting;
      if (counters.size === 0) return;
      waiting = new Map();
      try {
        await db.transaction(async (sql) => {
          for (const { text, values } of statements(counters.values())) await sql.run(text, ...values);
          await sql.run('delete from tool_calls where minute_at < ?', clock.now() - oldestMs);
        });
      } catch (error) {
        for (const [key, counter] of counters) {
          const newer = waiting.get(key);
          if (newer) {
            newer.calls += counter.calls;
            newer.totalMs += counter.totalMs;
          } else waiting.set(key, counter);
        }
        throw error;
      }
    },

    ending: (): Statement[] => [...statements(waiting.values())],
  };
}

/** Instances of one server share a score, as the next call may go to any of them. */
export function scoreKey(tool: string, instance: string): string {
  return `${tool} ${instance.replace(/#\d+$/, '')}`;
}

/** Four to a doubling of the time: a percentile is right to within a fifth. */
const bucketOf = (ms: number): number => Math.round(4 * Math.log2(Math.max(ms, 0.1)));
const msOf = (bucket: number): number => 2 ** (bucket / 4);

const upsert = `insert into tool_calls (minute_at, tool, source, instance, outcome, bucket, calls, total_ms)
  values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (minute_at, tool, source, instance, outcome, bucket)
  do update set calls = tool_calls.calls + excluded.calls, total_ms = tool_calls.total_ms + excluded.total_ms`;

const groupOf = ({ tool, source, instance }: Row): string => `${tool} ${source} ${instance}`;

function toStats(rows: readonly Row[]): CallStats {
  const [{ tool, source, instance } = { tool: '', source: '', instance: '' }] = rows;
  const count = (outcome?: CallOutcomeKind) =>
    rows.reduce((sum, row) => sum + (outcome === undefined || row.outcome === outcome ? row.calls : 0), 0);
  const calls = count();
  const answered = rows.filter((row) => row.outcome !== 'failed').sort((one, other) => one.bucket - other.bucket);
  const answers = answered.reduce((sum, row) => sum + row.calls, 0);
  const percentile = (share: number) => {
    let passed = 0;
    for (const row of answered) {
      passed += row.calls;
      if (passed >= share * answers) return msOf(row.bucket);
    }
    return 0;
  };
  return {
    tool,
    source,
    instance,
    calls,
    failed: count('failed'),
    toolErrors: count('error'),
    meanMs: answers === 0 ? 0 : answered.reduce((sum, row) => sum + row.total_ms, 0) / answers,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
  };
}
