import type { AgentRegistry } from '../agents/index.js';
import type { Clock, EpochMs } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import type { Json, JsonObject } from '../base/json.js';
import { microsOf } from '../base/money.js';
import type { Actor } from '../core/actor.js';
import type { GoalRuns } from '../core/goal-runs/goal-runs.js';
import { createGoal } from '../core/goals/goals.js';
import { submitJob } from '../core/jobs/submit-job.js';
import { createPipeline, planSteps } from '../core/relay/create-pipeline.js';
import type { RelayRuns } from '../core/relay/relay-runs.js';
import type { Schedule } from '../core/schedules/schedule.js';
import type { Submit } from '../core/schedules/schedules.js';
import { createTasks } from '../core/tasks/create-tasks.js';
import { tasksFromTemplate } from '../core/tasks/tasks.js';
import type { Models } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import type { Database } from '../store/sql.js';
import type { Worktrees } from '../worktrees/worktrees.js';
import type { SharesNeeds } from './fair-shares.js';
import { type LlmRequest, prepareLlmJob, usableModel } from './model-request.js';
import { type NewRelay, toNewPipeline } from './new-relay.js';
import { type JobRequest, prepareJob } from './submit-job.js';

/** A goal with the tasks of a template, which background models do unless `run` is false. */
export interface GoalRequest {
  name: string;
  description?: string | undefined;
  template: string;
  parameters?: Readonly<Record<string, string>> | undefined;
  run?: boolean | undefined;
  model?: string | undefined;
  concurrency?: number | undefined;
  token_budget?: number | undefined;
  /** US dollars. */
  budget_usd?: number | undefined;
}

/** A relay, which background models walk unless `run` is false. */
export interface RelayRequest extends NewRelay {
  run?: boolean | undefined;
  model?: string | undefined;
  judge_model?: string | undefined;
}

export interface ScheduledWorkNeeds extends SharesNeeds {
  db: Database;
  clock: Clock;
  agents: AgentRegistry;
  models: Models;
  worktrees: Pick<Worktrees, 'require'>;
  jobs: Pick<Jobs, 'get'>;
  goalRuns: Pick<GoalRuns, 'startIn'>;
  relayRuns: Pick<RelayRuns, 'startIn'>;
}

/** What a schedule is to submit, checked. */
export interface ScheduledWork {
  /** The provider, command or module that a process must have to fire it; null for none. */
  requires: string | null;
  submit: Submit;
}

/** What is submitted, and for whom. */
export type WorkToSchedule = Pick<Schedule, 'name' | 'project' | 'kind' | 'request' | 'timezone'>;

/**
 * Checks what a schedule submits, as it would be at `dueAt`. Throws what its tool would throw: `invalid`, `not_found`,
 * `not_configured`.
 */
export async function prepareWork(
  { name, project, kind, timezone, ...schedule }: WorkToSchedule,
  dueAt: EpochMs,
  needs: ScheduledWorkNeeds,
): Promise<ScheduledWork> {
  const actor: Actor = { holder: null, project };
  const request = withDate(schedule.request, dueAt, timezone);
  switch (kind) {
    case 'prompt': {
      const { job } = await prepareLlmJob(request as unknown as LlmRequest, actor, needs);
      return jobWork({ ...job, metadata: { schedule: name } }, actor, needs);
    }
    case 'job': {
      const { job } = await prepareJob(request as unknown as JobRequest, needs);
      return jobWork({ ...job, metadata: { ...job.metadata, schedule: name } }, actor, needs);
    }
    case 'goal':
      return goalWork(request as unknown as GoalRequest, actor, needs);
    case 'relay':
      return relayWork(request as unknown as RelayRequest, actor, needs);
  }
}

function jobWork(job: Parameters<typeof submitJob>[1], actor: Actor, { clock }: ScheduledWorkNeeds): ScheduledWork {
  return {
    requires: job.requires ?? null,
    submit: async (sql) => (await submitJob(sql, job, actor, clock)).row.id,
  };
}

async function goalWork(request: GoalRequest, actor: Actor, needs: ScheduledWorkNeeds): Promise<ScheduledWork> {
  const { db, clock, models, goalRuns } = needs;
  const model = request.run === false ? undefined : usableModel(models, request.model);
  const use = { name: request.template, parameters: new Map(Object.entries(request.parameters ?? {})) };
  await tasksFromTemplate(db, use);
  return {
    requires: model?.provider ?? null,
    submit: async (sql) => {
      const change = { at: clock.now(), actor };
      const { name, description = '', token_budget: tokenBudget } = request;
      const budgetMicros = request.budget_usd === undefined ? undefined : microsOf(request.budget_usd);
      const { id } = await createGoal(sql, { name, description, tokenBudget, budgetMicros }, actor, change.at);
      await createTasks(sql, await tasksFromTemplate(sql, { ...use, goalId: id }), change);
      if (model) {
        const { requested, provider, warnings } = model;
        const run = { goalId: id, model: requested, requires: provider, tokenBudget, warnings };
        await goalRuns.startIn(sql, { ...run, concurrency: request.concurrency ?? 2 }, actor);
      }
      return String(id);
    },
  };
}

async function relayWork(request: RelayRequest, actor: Actor, needs: ScheduledWorkNeeds): Promise<ScheduledWork> {
  const { clock, models, relayRuns } = needs;
  const relay = toNewPipeline(request);
  const steps = await planSteps(relay);
  const isRun = request.run !== false;
  const chosen = steps.map((step) => (isRun ? usableModel(models, step.model ?? request.model) : undefined));
  const judge = isRun ? usableModel(models, request.judge_model ?? request.model) : undefined;
  return {
    requires: chosen[0]?.provider ?? null,
    submit: async (sql) => {
      const { pipeline } = await createPipeline(sql, relay, steps, actor, clock);
      const plan = chosen.flatMap((model) => (model ? [{ model: model.requested, provider: model.provider }] : []));
      if (judge) {
        const run = { pipelineId: pipeline.id, models: plan, judgeModel: judge.requested };
        await relayRuns.startIn(sql, run, actor);
      }
      return pipeline.id;
    },
  };
}

/** Puts the day of the time that it fires for where a text has `{{date}}`, as 2026-12-01. */
function withDate(request: JsonObject, dueAt: EpochMs, timezone: string): JsonObject {
  const date = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' }).format(dueAt);
  const fill = (value: Json): Json => {
    if (typeof value === 'string') return value.replaceAll('{{date}}', date);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
  };
  return Object.fromEntries(Object.entries(request).map(([key, value]) => [key, fill(value)]));
}

/** Throws `invalid` for what would make every firing but the first one the same, or refuse it. */
export function refuseUnrepeatable(request: JsonObject): void {
  for (const field of ['idempotency_key', 'task_id', 'run_at', 'delay_seconds']) {
    if (request[field] === undefined) continue;
    throw new RuntimeError(
      'invalid',
      `A schedule submits its request again and again, so ${field} has no place in it.`,
      `Leave ${field} out.`,
    );
  }
}
