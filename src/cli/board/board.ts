import { type BoardState, boardStates, readBoard } from '../../core/overview/board.js';
import { showCards } from '../../http/page/tasks.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { stateName, taskTable } from './task-table.js';
import { drawWatched } from './watched.js';
import { withinProject } from './within-project.js';

export interface BoardOptions {
  /** Tasks of every project, rather than of this one and of none. */
  isAll: boolean;
  goalId: number | undefined;
  /** Tasks of each state. */
  limit: number;
  isWatched: boolean;
}

/** What is being done comes first, what is over last. */
const order: readonly BoardState[] = ['in_progress', 'ready', 'waiting', 'failed', 'completed', 'cancelled'];

/** Prints the tasks by state: a table of each state in a terminal, JSON elsewhere. */
export async function runBoard(
  { isAll, goalId, limit, isWatched }: BoardOptions,
  context: CommandContext,
): Promise<void> {
  await drawWatched(isWatched, context, async ({ runtime }, output) => {
    if (goalId !== undefined) await runtime.goals.get(goalId);
    const project = withinProject(runtime.config, isAll);
    const { columns, ...summary } = await readBoard(runtime, { goalId, withinProject: project }, limit);
    if (context.wantsJson) {
      const shown = boardStates.map((state) => [state, showCards(columns[state])]);
      output.printJson({ ...summary, columns: Object.fromEntries(shown) });
      return;
    }
    const counts = order.map((state) => `${summary.counts[state]} ${stateName(state)}`);
    output.print([...counts, ...(summary.overdue > 0 ? [`${summary.overdue} overdue`] : [])].join(' · '));
    for (const state of order) {
      if (columns[state].length === 0) continue;
      output.print(`\n${output.paint('bold', stateName(state).toUpperCase())}`);
      const now = runtime.clock.now();
      output.print(taskTable(showCards(columns[state]), output, { now, hasState: false }));
      const more = summary.counts[state] - columns[state].length;
      if (more > 0) output.print(`and ${more} more; --limit shows them`);
    }
    if (order.every((state) => summary.counts[state] === 0)) {
      output.print(`There are no tasks here. \`${commandName} goals\` lists the goals.`);
    }
  });
}
