import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Summary, TypeSummary } from '../../core/metrics/summary.js';
import type { Spread, TaskFigures, TaskGroup } from '../../core/metrics/task-figures.js';
import { iso } from '../call/fields.js';
import { costFields, showCost } from './cost.js';

/** A minute. */
const rate = z.number();

const spread = z.strictObject({ median: z.number(), p90: z.number() });

const taskGroup = {
  completed: z.int(),
  /** Seconds from the first start to the end. */
  cycle_seconds: spread,
  /** Seconds from the creation to the first start. */
  waiting_seconds: spread,
};

const taskFigures = z.strictObject({
  completed: z.int(),
  completed_per_hour: z.number(),
  failed: z.int(),
  cancelled: z.int(),
  cycle_seconds: spread.nullable(),
  waiting_seconds: spread.nullable(),
  /** Those with most completed tasks, five at the most. */
  workers: z.array(z.strictObject({ worker: z.string(), ...taskGroup })),
  goals: z.array(z.strictObject({ goal_id: z.int(), name: z.string(), ...taskGroup })),
});

export const metricsOutput = z.strictObject({
  at: z.string(),
  window_minutes: z.number(),
  job_submission_rate: rate,
  job_completion_rate: rate,
  /** Seconds. */
  average_execution_time: z.number().nullable(),
  error_rates_by_type: z.record(z.string(), z.number().nullable()),
  agent_utilization: z.record(z.string(), z.number()),
  /** Jobs that could run now and wait for a runner; `queued` of a type also has those that wait for something else. */
  queue_depth: z.int(),
  types: z.array(
    z.strictObject({
      type: z.string(),
      submitted: z.int(),
      submitted_per_minute: z.number(),
      completed: z.int(),
      completed_per_minute: z.number(),
      failed: z.int(),
      cancelled: z.int(),
      error_rate: z.number().nullable(),
      average_seconds: z.number().nullable(),
      p95_seconds: z.number().nullable(),
      queued: z.int(),
      running: z.int(),
      oldest_queued_seconds: z.number().nullable(),
    }),
  ),
  agents: z.array(z.strictObject({ agent: z.string(), slots: z.int(), busy: z.int(), utilization: z.number() })),
  errors: z.array(z.strictObject({ type: z.string(), code: z.string(), count: z.int() })),
  /** Of the jobs that ended in the window. */
  cost: z.strictObject(costFields),
  /** Tasks that ended in the window. */
  tasks: taskFigures,
  totals: z.strictObject({
    jobs_submitted: z.int(),
    jobs_completed: z.int(),
    jobs_failed: z.int(),
    jobs_cancelled: z.int(),
    llm_requests: z.int(),
    llm_errors: z.int(),
    llm_input_tokens: z.int(),
    llm_output_tokens: z.int(),
    ...costFields,
    tool_calls: z.int(),
    tool_errors: z.int(),
  }),
});

export type ShownMetrics = z.infer<typeof metricsOutput>;

/** The six figures that the job server named first, then what they are made of. */
export function showMetrics(summary: Summary): ShownMetrics {
  const { types, agents, errors, totals } = summary;
  const minutes = (summary.at - summary.from) / 60_000;
  const sum = (figure: (type: TypeSummary) => number) => types.reduce((total, type) => total + figure(type), 0);
  return {
    at: iso(summary.at),
    window_minutes: minutes,
    job_submission_rate: rounded(sum((type) => type.submitted) / minutes),
    job_completion_rate: rounded(sum((type) => type.completed) / minutes),
    average_execution_time: rounded(summary.averageSeconds),
    error_rates_by_type: Object.fromEntries(types.map(({ type, errorRate }) => [type, rounded(errorRate)])),
    agent_utilization: Object.fromEntries(agents.map(({ agent, utilization }) => [agent, rounded(utilization)])),
    queue_depth: sum((type) => type.ready),
    types: types.map((type) => ({
      type: type.type,
      submitted: type.submitted,
      submitted_per_minute: rounded(type.submitted / minutes),
      completed: type.completed,
      completed_per_minute: rounded(type.completed / minutes),
      failed: type.failed,
      cancelled: type.cancelled,
      error_rate: rounded(type.errorRate),
      average_seconds: rounded(type.averageSeconds),
      p95_seconds: rounded(type.p95Seconds),
      queued: type.queued,
      running: type.running,
      oldest_queued_seconds: rounded(type.oldestQueuedSeconds),
    })),
    agents: agents
      .filter(({ busy, utilization }) => busy > 0 || utilization > 0)
      .map((agent) => ({ ...agent, utilization: rounded(agent.utilization) })),
    errors,
    cost: showCost(summary.cost, false),
    tasks: showTaskFigures(summary.tasks, minutes),
    totals: {
      jobs_submitted: totals.jobsSubmitted,
      jobs_completed: totals.jobsCompleted,
      jobs_failed: totals.jobsFailed,
      jobs_cancelled: totals.jobsCancelled,
      llm_requests: totals.llmRequests,
      llm_errors: totals.llmErrors,
      llm_input_tokens: totals.llmInputTokens,
      llm_output_tokens: totals.llmOutputTokens,
      ...showCost(totals.llmCost, totals.llmRequests > 0),
      tool_calls: totals.toolCalls,
      tool_errors: totals.toolErrors,
    },
  };
}

function showTaskFigures(figures: TaskFigures, minutes: number): ShownMetrics['tasks'] {
  const { completed, failed, cancelled, cycle, waiting, workers, goals } = figures;
  return {
    completed,
    completed_per_hour: rounded((completed / minutes) * 60),
    failed,
    cancelled,
    cycle_seconds: cycle && showSpread(cycle),
    waiting_seconds: waiting && showSpread(waiting),
    workers: workers.map(({ worker, ...group }) => ({ worker: cut(worker, 60), ...showGroup(group) })),
    goals: goals.map(({ goalId, name, ...group }) => ({ goal_id: goalId, name: cut(name, 60), ...showGroup(group) })),
  };
}

const showGroup = ({ completed, cycle, waiting }: TaskGroup) => ({
  completed,
  cycle_seconds: showSpread(cycle),
  waiting_seconds: showSpread(waiting),
});

const showSpread = ({ median, p90 }: Spread) => ({ median: rounded(median), p90: rounded(p90) });

/** Four digits are enough: a model reads every one. */
function rounded(value: number): number;
function rounded(value: number | null): number | null;
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
