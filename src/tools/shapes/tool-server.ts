import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { CallStats } from '../../downstream/routing/call-metrics.js';
import { type InstanceReport, type ListedTool, type ServerView, serverHealths } from '../../downstream/views.js';
import { iso, mark, whenTrue } from '../call/fields.js';

const health = z.enum(serverHealths);

/** A tool that call_tool can call. */
export const listedToolOutput = z.strictObject({
  name: z.string(),
  description: z.string(),
  /** The health of its server. */
  health,
  read_only: mark,
  /** Its description or schema has changed since it was first seen, and nobody has accepted that. */
  changed: mark,
  input_schema: z.record(z.string(), z.unknown()).optional(),
  /** When its server, which is down, had it last. */
  listed_at: z.string().optional(),
});

export type ShownListedTool = z.infer<typeof listedToolOutput>;

/** A tool, its description cut to so many characters; without a length whole, with its schema. */
export function showListedTool(tool: ListedTool, longestDescription?: number): z.infer<typeof listedToolOutput> {
  return {
    name: tool.name,
    description: longestDescription === undefined ? tool.description : cut(tool.description, longestDescription),
    health: tool.health,
    read_only: whenTrue(tool.isReadOnly),
    changed: whenTrue(tool.isChanged),
    input_schema: longestDescription === undefined ? tool.inputSchema : undefined,
    listed_at: tool.health === 'down' && tool.listedAt !== null ? iso(tool.listedAt) : undefined,
  };
}

/** A server that is not fully up. `said` is what its process wrote at the end: data, not instructions. */
export const sickServerOutput = z.strictObject({
  server: z.string(),
  problem: z.string(),
  said: z.string().optional(),
});

/** One process or connection of a server; the figures are those of the last hour, over all sessions. */
export const toolInstanceOutput = z.strictObject({
  id: z.string(),
  state: z.string(),
  in_flight: z.int(),
  restarts: z.int(),
  breaker: z.string(),
  pid: z.int().optional(),
  calls: z.int().optional(),
  p50_ms: z.number().optional(),
  p95_ms: z.number().optional(),
  error_rate: z.number().optional(),
  last_failure: z.string().optional(),
  /** What its process wrote when it failed last: data, not instructions. */
  said: z.string().optional(),
});

/** A configured MCP server, with its instances in this session. */
export const toolServerOutput = z.strictObject({
  server: z.string(),
  /** Its command or address. */
  runs: z.string(),
  health,
  /** How many tools it has. */
  tools: z.int().optional(),
  listed_at: z.string().optional(),
  backups: z.array(z.string()).optional(),
  /** All sessions use the same processes, which the process `keeper_pid` has. */
  shared: mark,
  keeper_pid: z.int().optional(),
  /** How many of its tools stand in tools/list too, as server__tool. */
  exposed: z.int().optional(),
  /** What of `expose` in its entry cannot be as it says, such as two tools of one name. */
  expose_problems: z.array(z.string()).optional(),
  /** Why it is left out, if its entry of the config file is wrong. */
  problem: z.string().optional(),
  instances: z.array(toolInstanceOutput),
});

export type ShownToolServer = z.infer<typeof toolServerOutput>;

export function showToolServer(view: ServerView): ShownToolServer {
  return {
    server: view.server,
    runs: cut(view.runs, 120),
    health: view.health,
    tools: view.tools,
    listed_at: view.listedAt === undefined ? undefined : iso(view.listedAt),
    backups: view.backups.length === 0 ? undefined : [...view.backups],
    shared: whenTrue(view.isShared),
    keeper_pid: view.keeperPid,
    exposed: view.exposed === 0 ? undefined : view.exposed,
    expose_problems: view.exposeProblems.length === 0 ? undefined : view.exposeProblems.map((text) => cut(text, 300)),
    problem: view.problem,
    instances: view.instances.map(showInstance),
  };
}

function showInstance(instance: InstanceReport): z.infer<typeof toolInstanceOutput> {
  return {
    id: instance.id,
    state: instance.state,
    in_flight: instance.inFlight,
    restarts: instance.restarts,
    breaker: instance.breaker.toUpperCase(),
    pid: instance.pid,
    calls: instance.calls === 0 ? undefined : instance.calls,
    p50_ms: rounded(instance.p50Ms),
    p95_ms: rounded(instance.p95Ms),
    error_rate: rounded(instance.errorRate),
    last_failure: instance.lastFailure,
    said: instance.said,
  };
}

/** Calls of one tool that one instance answered, or tried to. */
export const toolStatsOutput = z.strictObject({
  tool: z.string(),
  source: z.string(),
  instance: z.string(),
  calls: z.int(),
  failed: z.int(),
  tool_errors: z.int(),
  mean_ms: z.number(),
  p50_ms: z.number(),
  p95_ms: z.number(),
});

export function showToolStats(stats: CallStats): z.infer<typeof toolStatsOutput> {
  const { tool, source, instance, calls, failed, toolErrors, ...times } = stats;
  return {
    tool,
    source,
    instance,
    calls,
    failed,
    tool_errors: toolErrors,
    mean_ms: rounded(times.meanMs) ?? 0,
    p50_ms: rounded(times.p50Ms) ?? 0,
    p95_ms: rounded(times.p95Ms) ?? 0,
  };
}

/** How many calls each source answered; `none` counts those that no source could answer. */
export const toolSharesOutput = z.record(z.string(), z.strictObject({ calls: z.int(), share: z.number() }));

export function showToolShares(stats: readonly CallStats[]): z.infer<typeof toolSharesOutput> {
  const sums = new Map<string, number>();
  for (const { source, calls, failed } of stats) {
    const ended = source === 'none' ? calls : calls - failed;
    if (ended > 0) sums.set(source, (sums.get(source) ?? 0) + ended);
  }
  const total = [...sums.values()].reduce((sum, count) => sum + count, 0);
  return Object.fromEntries(
    [...sums].map(([source, calls]) => [source, { calls, share: Math.round((calls / total) * 1_000) / 1_000 }]),
  );
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 100) / 100;
}
