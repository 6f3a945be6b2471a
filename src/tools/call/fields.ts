import { z } from 'zod';
import type { Json } from '../../base/json.js';
import { failurePolicies, taskStatuses } from '../../core/tasks/task.js';

/** Row ids; the upper bound is far beyond any board. */
export const rowId = z.int().min(1).max(1_000_000_000_000);

/** Inputs that many tools share, each described once. */
export const taskReference = z
  .union([rowId, z.string().min(1).max(200)])
  .describe('A task\'s id (12 or "12"), or the key it was created with.');

export const taskReferences = z
  .array(z.union([rowId, z.string().min(1).max(200)]))
  .max(1_000)
  .describe('Ids or keys of tasks that come first.');

/** Dependencies of a task that is created with others, which may be named by their places, counted from 0. */
export const batchReferences = z
  .array(z.union([z.int().min(0).max(1_000_000_000_000), z.string().min(1).max(200)]))
  .max(1_000)
  .describe('Tasks that must be done first: ids or keys; of this call also titles, or places counted from 0.');

export const goalId = rowId.describe("A goal's id, as returned by create_goal or list_goals.");
export const jobId = z.string().min(1).max(200).describe('The task_id that submit_background_task returned.');
export const verify = z.boolean().optional().describe('false: answers are not judged.');
export const priority = z.int().min(1).max(10).describe('1 to 10; 10 is done first. 5 unless given.');
export const inWorktree = z.boolean().optional().describe('In a git worktree of its own.');
export const taskStatus = z.enum(taskStatuses);
export const failurePolicy = z
  .enum(failurePolicies)
  .describe(
    'When a dependency fails: block (wait), skip (dependents go on), run (all the same), cancel (dependents follow their own).',
  );
export const metadata = z
  .record(z.string(), z.custom<Json>())
  .describe('Anything you want kept with it, as a JSON object.');
/** A JSON object in an output. */
export const jsonObject = z.record(z.string(), z.custom<Json>());
export const time = z.iso.datetime({ offset: true }).describe('ISO 8601 with a zone, such as 2026-12-01T09:00:00Z.');
export const delaySeconds = z.int().min(0).max(31_536_000).describe('Starts this much later.');
const shareKey = z.string().trim().min(1).max(200).optional();
/** How a job goes with others. */
export const shares = {
  concurrencyKey: shareKey.describe('At most concurrency_limit jobs of one key run at once.'),
  concurrencyLimit: z.int().min(1).max(1_000).optional().describe("The config file's, or 1, unless given."),
  uniqueKey: shareKey.describe('A pending or running job of the same key is returned instead.'),
};
export const claimToken = z
  .int()
  .min(1)
  .max(1_000_000_000)
  .describe('The claim_token that your claim returned: proves that the claim is yours and has not been superseded.');
export const scope = z
  .enum(['project', 'all'])
  .describe('project: tasks of this project and of none. all: of every project. project unless given.');

export const limit = (byDefault: number) =>
  z.int().min(1).max(200).optional().describe(`At most this many; ${byDefault} unless given.`);
export const cursor = z.string().max(200).optional().describe('next_cursor of the page before.');
export const fields = z
  .enum(['brief', 'full'])
  .optional()
  .describe('brief: enough to choose one. full: every field. brief unless given.');

/** Epoch milliseconds of a time; null, which removes a value, stays null. */
export function toMs(text: string): number;
export function toMs(text: string | undefined): number | undefined;
export function toMs(text: string | null | undefined): number | null | undefined;
export function toMs(text: string | null | undefined): number | null | undefined {
  return typeof text === 'string' ? Date.parse(text) : text;
}

/** A mark that an output has only where it is true. */
export const mark = z.literal(true).optional();
export const whenTrue = (isTrue: boolean): true | undefined => isTrue || undefined;

/** ISO 8601 in UTC, as every tool returns times. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
