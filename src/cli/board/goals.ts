import { readGoals } from '../../core/overview/goals.js';
import type { GoalStatus } from '../../core/tasks/goal.js';
import { type GoalProgress, showGoalProgress } from '../../http/page/goals.js';
import { costWords } from '../../tools/shapes/job-text.js';
import type { CommandContext } from '../define-command.js';
import type { Paint } from '../output.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { drawWatched } from './watched.js';
import { withinProject } from './within-project.js';

export interface GoalsOptions {
  /** Goals of every project, rather than of this one and of none. */
  isAll: boolean;
  status: GoalStatus | undefined;
  limit: number;
  isWatched: boolean;
}

/** Prints the goals, newest first: a table in a terminal, JSON elsewhere. */
export async function runGoals(
  { isAll, status, limit, isWatched }: GoalsOptions,
  context: CommandContext,
): Promise<void> {
  await drawWatched(isWatched, context, async ({ runtime: { db, clock, config } }, output) => {
    const page = { status, withinProject: withinProject(config, isAll), limit: limit + 1 };
    const found = await readGoals(db, page);
    const goals = found.slice(0, limit).map(showGoalProgress);
    const hasMore = found.length > limit;
    if (context.wantsJson) output.printJson({ goals, count: goals.length, has_more: hasMore });
    else if (goals.length === 0) output.print('There are no goals here; --all lists those of every project.');
    else {
      const columns = goalColumns(output.paint, clock.now());
      printTable(output, columns, goals);
      if (hasMore) output.print(`These are the newest ${limit}; --limit shows more.`);
    }
  });
}

const colours = { active: 'cyan', completed: 'green', cancelled: 'yellow' } as const;

function goalColumns(paint: Paint, now: number): Column<GoalProgress>[] {
  return [
    { title: 'ID', value: ({ id }) => String(id), isNumber: true },
    { title: 'GOAL', value: ({ name }) => name, isText: true },
    { title: 'STATUS', value: ({ status }) => status, paint: (cell, { status }) => paint(colours[status], cell) },
    { title: 'DONE', value: ({ counts }) => `${counts.completed}/${totalOf(counts)}`, isNumber: true },
    ...(['ready', 'waiting', 'in_progress', 'failed'] as const).map(
      (state): Column<GoalProgress> => ({
        title: state.replaceAll('_', ' ').toUpperCase(),
        value: ({ counts }) => (counts[state] > 0 ? String(counts[state]) : ''),
        isNumber: true,
      }),
    ),
    { title: 'TOKENS', value: ({ tokens }) => tokensOf(tokens), isNumber: true },
    { title: 'COST', value: ({ tokens }) => costWords(tokens).replace(/^, /, ''), isNumber: true },
    { title: 'CREATED', value: ({ created_at }) => relativeIso(created_at, now) },
  ];
}

function totalOf(counts: GoalProgress['counts']): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function tokensOf({ budget, spent }: GoalProgress['tokens']): string {
  if (budget !== null) return `${spent}/${budget}`;
  return spent > 0 ? String(spent) : '';
}
