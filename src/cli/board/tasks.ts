import { type BoardState, readBoardList } from '../../core/overview/board.js';
import type { TaskStatus } from '../../core/tasks/task.js';
import { showCards } from '../../http/page/tasks.js';
import type { CommandContext } from '../define-command.js';
import { taskTable } from './task-table.js';
import { drawWatched } from './watched.js';
import { withinProject } from './within-project.js';

export interface TasksOptions {
  /** Tasks of every project, rather than of this one and of none. */
  isAll: boolean;
  goalId: number | undefined;
  status: TaskStatus | undefined;
  /** Only tasks that can be started now. */
  isReady: boolean;
  /** Only tasks that wait for others, or for a time. */
  isBlocked: boolean;
  limit: number;
  isWatched: boolean;
}

/** Prints tasks, newest first: a table in a terminal, JSON elsewhere. */
export async function runTasks(options: TasksOptions, context: CommandContext): Promise<void> {
  const { isAll, goalId, status, limit } = options;
  await drawWatched(options.isWatched, context, async ({ runtime }, output) => {
    if (goalId !== undefined) await runtime.goals.get(goalId);
    const state = stateOf(options);
    const filter = { goalId, status, withinProject: withinProject(runtime.config, isAll), limit: limit + 1 };
    const { tasks: found } = await readBoardList(runtime, state === undefined ? filter : { ...filter, state });
    const tasks = showCards(found.slice(0, limit));
    const hasMore = found.length > limit;
    if (context.wantsJson) output.printJson({ tasks, count: tasks.length, has_more: hasMore });
    else if (tasks.length === 0) output.print('There are no such tasks here; --all lists those of every project.');
    else {
      output.print(taskTable(tasks, output, { now: runtime.clock.now(), hasState: true }));
      if (hasMore) output.print(`These are the newest ${limit}; --limit shows more.`);
    }
  });
}

function stateOf({ isReady, isBlocked }: TasksOptions): BoardState | undefined {
  if (isReady) return 'ready';
  return isBlocked ? 'waiting' : undefined;
}
