import { z } from 'zod';
import type { BoardFilter } from '../../core/overview/board.js';
import { goalId } from '../../tools/call/fields.js';

/** The fields by which the board is filtered, in reads and in writes. */
export const boardFilter = {
  goal_id: goalId.optional(),
  project: z.string().max(1_000).optional().describe("Only tasks of exactly this project; '' for those of none."),
  worker: z.string().max(300).optional().describe('Only tasks that this worker or session works or worked on.'),
  text: z.string().max(200).optional().describe('Only tasks with this text in their title, key or description.'),
  overdue: z.boolean().default(false).describe('Only open tasks whose deadline has passed.'),
};

export function toFilter(input: {
  goal_id?: number | undefined;
  project?: string | undefined;
  worker?: string | undefined;
  text?: string | undefined;
  overdue: boolean;
}): BoardFilter {
  const { goal_id: goalId, overdue: isOverdue, project, worker, text } = input;
  return { goalId, project, worker, text, isOverdue };
}
