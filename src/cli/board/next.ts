import { z } from 'zod';
import { noTaskOutput, taskOutput } from '../../tools/shapes/task.js';
import type { CommandContext } from '../define-command.js';
import { forShell } from '../for-shell.js';
import { callFor } from '../jobs/job-tool.js';
import { printable } from '../output.js';
import { relativeIso } from '../table.js';
import { renderTask } from './task.js';
import { drawWatched } from './watched.js';

export interface NextOptions {
  /** Among tasks of every project, rather than of this one and of none. */
  isAll: boolean;
  goalId: number | undefined;
  isWatched: boolean;
}

/** Prints the task that would be handed out next, or why there is none. It claims nothing. */
export async function runNext({ isAll, goalId, isWatched }: NextOptions, context: CommandContext): Promise<void> {
  await drawWatched(isWatched, context, async (caller, output) => {
    if (goalId !== undefined) await caller.runtime.goals.get(goalId);
    const input = { goal_id: goalId, scope: isAll ? 'all' : undefined };
    const next = await callFor(caller, 'get_next_task', input, z.union([taskOutput, noTaskOutput]));
    const now = caller.runtime.clock.now();
    if (context.wantsJson) output.printJson(next);
    else if ('why' in next) output.print(renderWhy(next, now));
    else output.print(renderTask({ ...next, dependents: [], dependency_results: [] }, now, output.paint));
  });
}

function renderWhy({ message, why }: z.infer<typeof noTaskOutput>, now: number): string {
  const reasons: [count: number, what: string][] = [
    [why.claimed, 'being worked on'],
    [why.waiting, 'waiting for tasks that are still open'],
    [why.blocked_by_failure, 'waiting for a task that failed or was cancelled'],
    [
      why.not_before,
      `not to be started yet${why.next_start_at ? `; the next one ${relativeIso(why.next_start_at, now)}` : ''}`,
    ],
  ];
  const lines = reasons.filter(([count]) => count > 0).map(([count, what]) => `  ${count} ${what}`);
  return [printable(forShell(message)), ...lines].join('\n');
}
