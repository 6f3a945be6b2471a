import { z } from 'zod';
import type { WaitingReasons } from '../../core/tasks/ready.js';
import { iso } from '../call/fields.js';

/** Counts of the tasks that are not ready, by reason. */
export const whyOutput = z.object({
  waiting: z.int().describe('Wait for tasks that are still open.'),
  claimed: z.int().describe('Are being worked on.'),
  blocked_by_failure: z.int().describe('Wait for a task that failed or was cancelled.'),
  not_before: z.int().describe('Are not to be started yet.'),
  next_start_at: z.string().optional(),
});

/** The answer when nothing is ready: the source's sentence, and what to do about it. */
export function showWhy(reasons: WaitingReasons): { message: string; why: z.input<typeof whyOutput> } {
  return {
    message: `No tasks available in queue${adviceFor(reasons)}`,
    why: {
      waiting: reasons.waiting,
      claimed: reasons.claimed,
      blocked_by_failure: reasons.blockedByFailure,
      not_before: reasons.notBefore,
      next_start_at: reasons.nextStartAt === null ? undefined : iso(reasons.nextStartAt),
    },
  };
}

function adviceFor({ waiting, claimed, blockedByFailure, notBefore }: WaitingReasons): string {
  if (blockedByFailure > 0 && claimed === 0) {
    return '. Tasks wait for one that failed: list_tasks with status failed, then set it to pending to try again.';
  }
  if (claimed > 0) return '. Others are at work on what the rest waits for; try again later.';
  if (notBefore > 0) return '. The next one may not start yet.';
  if (waiting > 0) return '. Tasks wait for tasks outside this scope; try scope all.';
  return '';
}
