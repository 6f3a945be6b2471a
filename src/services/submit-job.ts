import type { AgentRegistry } from '../agents/index.js';
import { RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import { breakerOf } from '../core/jobs/job-breaker.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { FailurePolicy } from '../core/tasks/task.js';
import type { Jobs } from '../runner/jobs.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';
import { type SharesNeeds, type SharesRequest, sharesOf } from './fair-shares.js';
import { delayOf } from './model-request.js';

export interface JobRequest extends SharesRequest {
  type: string;
  payload: JsonObject;
  metadata?: JsonObject | undefined;
  priority?: number | undefined;
  depends_on?: readonly string[] | undefined;
  on_dependency_failure?: FailurePolicy | undefined;
  /** Epoch milliseconds. */
  run_at?: number | undefined;
  delay_seconds?: number | undefined;
  /** What the worker must have that takes it. */
  requires?: string | undefined;
  max_attempts?: number | undefined;
  timeout_seconds?: number | undefined;
  idempotency_key?: string | undefined;
}

export interface SubmitNeeds extends SharesNeeds {
  agents: AgentRegistry;
  jobs: Pick<Jobs, 'submit'>;
  breakers: BreakerNeeds['breakers'];
  clock: BreakerNeeds['clock'];
}

/** Types with a tool of their own, which sets what their jobs need beside the payload. */
export const toolsOfTypes: Readonly<Record<string, string | undefined>> = {
  llm: 'submit_background_task',
  decompose: 'decompose_goal',
  relay_step: 'run_relay',
  verify: 'verify_task',
  run_goal: 'run_goal',
};

/**
 * Submits a job of any type after its agent's schema has checked the payload. Throws `invalid` in the schema's own words,
 * `not_found` for an unknown type, and `conflict`, `not_found` or `already_claimed` as `submit` of the queue does.
 */
export async function submitJob(request: JobRequest, actor: Actor, needs: SubmitNeeds) {
  const { job, warnings } = await prepareJob(request, needs);
  const submitted = await needs.jobs.submit(job, actor);
  const waiting = await breakerWarning([breakerOf(request.type)], needs);
  const all = [...warnings, ...(waiting === undefined ? [] : [waiting])];
  return { ...submitted, warnings: all.length === 0 ? undefined : all };
}

/**
 * The job that a request asks for, its payload checked by its agent, and what the agent warns of. Throws as `submitJob`
 * does, except for the queue.
 */
export async function prepareJob(
  request: JobRequest,
  { agents, config }: Pick<SubmitNeeds, 'agents' | 'config'>,
): Promise<{ job: NewJob; warnings: string[] }> {
  const tool = toolsOfTypes[request.type];
  if (tool) throw new RuntimeError('invalid', `Jobs of type ${request.type} are made by ${tool}.`, `Call ${tool}.`);
  const { payload, demands, warnings = [] } = await agents.check(request.type, request.payload);
  const job: NewJob = {
    type: request.type,
    payload,
    requires: demands.requires,
    needs: request.requires,
    concurrency: demands.concurrency,
    ...sharesOf(request, { config }),
    metadata: request.metadata,
    priority: request.priority,
    dependsOn: request.depends_on,
    onDependencyFailure: request.on_dependency_failure,
    runAt: request.run_at,
    delayMs: delayOf(request),
    maxAttempts: request.max_attempts,
    timeoutSeconds: request.timeout_seconds ?? demands.timeoutSeconds,
    idempotencyKey: request.idempotency_key,
  };
  return { job, warnings: [...warnings] };
}
