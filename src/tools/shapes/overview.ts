import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Actor } from '../../core/actor.js';
import type { HeldTask, OpenJob, Overview } from '../../core/overview/overview.js';
import { holdingJob } from '../../core/tasks/claim-proof.js';
import type { SelfDescription } from '../../services/describe-self.js';
import { iso, whenTrue } from '../call/fields.js';
import { summarize } from './job.js';
import { showUnread, unreadOutput } from './message.js';
import { sickServerOutput } from './tool-server.js';

const heldTask = z.strictObject({
  id: z.int(),
  key: z.string().optional(),
  title: z.string(),
  claim_token: z.int().optional(),
  by: z.string().optional(),
  until: z.string(),
});

const openJob = z.strictObject({ task_id: z.string(), status: z.string(), description: z.string() });

export const statusOutput = z.strictObject({
  /** What to do next. */
  next: z.string(),
  session: z.strictObject({ id: z.string().nullable(), project: z.string().optional() }),
  yours: z.strictObject({
    tasks: z.array(heldTask),
    slots: z.array(z.strictObject({ slot: z.int(), worker: z.string(), task: z.int().optional() })),
    reserved_paths: z.array(z.string()).optional(),
    background: z.array(openJob),
    unread_results: z.array(openJob),
    ...unreadOutput,
  }),
  all: z.strictObject({
    sessions: z.int(),
    tasks: z.strictObject({
      ready: z.int(),
      waiting: z.int(),
      in_progress: z.int(),
      failed: z.int(),
      overdue: z.int(),
    }),
    in_progress: z.array(heldTask),
    slots: z.string(),
    background: z.strictObject({
      running: z.int(),
      pending: z.int(),
      runners: z.int(),
      /** Long-lived ones, on any host. */
      workers: z.int().optional(),
    }),
    sick_servers: z.array(sickServerOutput).optional(),
    goals: z.array(z.strictObject({ id: z.int(), name: z.string(), done: z.string() })),
    waiting: z.array(z.strictObject({ id: z.int(), title: z.string(), because: z.string() })),
    open_breakers: z
      .array(
        z.strictObject({
          id: z.string(),
          state: z.string(),
          retry_at: z.string().optional(),
          held: z.boolean().optional(),
        }),
      )
      .optional(),
    relays: z.array(z.strictObject({ pipeline_id: z.string(), name: z.string(), step: z.string() })).optional(),
  }),
  models: z.strictObject({ default: z.string().nullable(), configured: z.array(z.string()), planner: z.string() }),
  database: z.strictObject({
    path: z.string(),
    size_bytes: z.int(),
    /** What ended so many days ago is deleted, once a day. */
    retention_days: z.int().optional(),
    loss: z.string().optional(),
  }),
});

export function showOverview(overview: Overview, actor: Actor, self: SelfDescription): z.infer<typeof statusOutput> {
  const { ready, waiting, inProgress, failed, overdue } = overview;
  return {
    next: adviseNext(overview),
    session: { id: actor.holder, project: actor.project === '' ? undefined : actor.project },
    yours: {
      tasks: overview.ownClaims.map((task) => ({ ...showHeld(task), claim_token: task.claimToken })),
      slots: overview.ownSlots.map(({ slot, workerId, taskId }) => ({
        slot,
        worker: workerId,
        task: taskId ?? undefined,
      })),
      reserved_paths: overview.ownPaths.length === 0 ? undefined : overview.ownPaths,
      background: overview.ownJobs.map(showOpenJob),
      unread_results: overview.unread.map(showOpenJob),
      ...showUnread(overview.unreadMessages),
    },
    all: {
      sessions: overview.liveSessions,
      tasks: { ready, waiting, in_progress: inProgress, failed, overdue },
      in_progress: overview.claims.map((task) => ({ ...showHeld(task), by: task.workerId ?? task.claimedBy })),
      slots: `${overview.heldSlots} of ${self.workerSlots} held`,
      background: {
        running: overview.runningJobs,
        pending: overview.pendingJobs,
        runners: overview.liveRunners,
        workers: overview.liveWorkers || undefined,
      },
      ...(self.sickServers.length === 0 ? {} : { sick_servers: self.sickServers }),
      goals: overview.goals.map(({ id, name, completed, total }) => ({
        id,
        name: cut(name, 40),
        done: `${completed}/${total}`,
      })),
      waiting: overview.waitingTasks.map(({ id, title, because }) => ({
        id,
        title: cut(title, 40),
        because: cut(because, 100),
      })),
      ...(overview.openBreakers.length === 0
        ? {}
        : {
            open_breakers: overview.openBreakers.map(({ id, state, cooldownUntil, isHeld }) => ({
              id,
              state: state.toUpperCase(),
              retry_at: cooldownUntil === null ? undefined : iso(cooldownUntil),
              held: whenTrue(isHeld),
            })),
          }),
      ...(overview.openRelays.length === 0
        ? {}
        : {
            relays: overview.openRelays.map(({ id, name, currentStep, totalSteps }) => ({
              pipeline_id: id,
              name: cut(name, 40),
              step: `${currentStep + 1}/${totalSteps}`,
            })),
          }),
    },
    models: { default: self.defaultModel ?? null, configured: self.configuredProviders, planner: self.planner },
    database: {
      path: self.databasePath,
      size_bytes: self.databaseBytes,
      retention_days: self.retentionDays,
      loss: self.databaseLoss,
    },
  };
}

function showHeld(task: HeldTask) {
  return {
    id: task.id,
    key: task.key ?? undefined,
    title: cut(task.title, 40),
    until: heldUntil(task),
  };
}

function heldUntil({ claimedBy, leaseExpiresAt }: HeldTask): string {
  const jobId = holdingJob(claimedBy);
  return jobId === undefined ? iso(leaseExpiresAt) : `held by job ${jobId}`;
}

function showOpenJob(job: OpenJob) {
  return { task_id: job.id, status: job.status, description: cut(summarize(job.type, JSON.parse(job.payload)), 50) };
}

function adviseNext(overview: Overview): string {
  const { ownClaims, unread, unreadMessages, ready, failed, waiting, inProgress, goals } = overview;
  const { count } = unreadMessages;
  // First, as one of them may change what is to be done.
  if (count > 0) return `Read your ${count === 1 ? 'unread message' : `${count} unread messages`} with get_messages.`;
  const [claim] = ownClaims;
  if (claim) return `Continue task ${claim.id} and end it with update_task_status (claim_token ${claim.claimToken}).`;
  const [result] = unread;
  if (result) return `Read the result of ${result.id} with get_task_result.`;
  if (ready > 0) return 'Call claim_next_task to take the next ready task.';
  if (failed > 0 && waiting > 0)
    return 'Tasks wait for one that failed: list_tasks with status failed, then set it to pending.';
  if (inProgress > 0) return 'Other workers have all ready tasks; look again later.';
  return goals.length > 0 ? 'Call decompose_goal or create_task for an active goal.' : 'Call create_goal to begin.';
}
