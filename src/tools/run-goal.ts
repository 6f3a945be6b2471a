import { z } from 'zod';
import { type Job, jobStatuses } from '../core/jobs/job.js';
import { startGoalRun } from '../services/run-goal.js';
import { defineTool } from './call/define-tool.js';
import { goalId, inWorktree, mark, verify, whenTrue } from './call/fields.js';
import { budgetUsd } from './shapes/cost.js';
import { errorOf, jobErrorOutput, warningsOf } from './shapes/job.js';
import { warningLines } from './shapes/job-text.js';

const runOutput = z.strictObject({
  /** A task_id for wait_for_tasks, check_task_status, get_task_result and cancel_task. */
  run_id: z.string(),
  goal_id: z.int(),
  status: z.enum(jobStatuses),
  /** The run is an earlier one; its model and concurrency stay. */
  already_running: mark,
  model: z.string(),
  progress_message: z.string().optional(),
  error: jobErrorOutput.optional(),
  warnings: z.array(z.string()).optional(),
});

/** Goals that background models work on. */
export const runGoalTools = [
  defineTool({
    name: 'run_goal',
    title: 'Run a goal',
    effect: 'write',
    isExternal: true,
    description:
      'Lets background models do all tasks of a goal. Returns a run_id at once. Next: wait_for_tasks; cancel_task stops it.',
    input: z.strictObject({
      goal_id: goalId,
      model: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe(
          'The model that does the tasks, such as claude-sonnet-5-5 or ollama:llama3.2; the default unless given.',
        ),
      concurrency: z.int().min(1).max(20).default(2).describe('Tasks at once.'),
      token_budget: z.int().min(1).max(1_000_000_000).optional().describe('Most tokens of the goal in all.'),
      budget_usd: budgetUsd.optional().describe('Most US dollars likewise.'),
      verify,
      worktree: inWorktree,
    }),
    output: runOutput,
    text: ({ run_id, status, error, warnings }) =>
      `Run ID: ${run_id}\nStatus: ${status}${error ? `\n${error.code}: ${error.message}` : ''}${warningLines(warnings)}`,
    facts: ({ goal_id, already_running, model, progress_message }) =>
      [
        `Goal: ${goal_id}, model: ${model}`,
        ...(already_running ? ['It is the run of an earlier call, whose model and concurrency stay.'] : []),
        ...(progress_message === undefined ? [] : [`Progress: ${progress_message}`]),
      ].join('\n'),
    handler: async (input, { runtime, actor }) => {
      const { run, isRepeated, warnings } = await startGoalRun(input, actor, runtime);
      return showRun({ ...run, warnings }, isRepeated);
    },
  }),
];

function showRun(run: Job, isRepeated: boolean): z.infer<typeof runOutput> {
  return {
    run_id: run.id,
    goal_id: run.goalId ?? 0,
    status: run.status,
    already_running: whenTrue(isRepeated),
    model: run.requestedModel ?? '',
    progress_message: run.progressMessage ?? undefined,
    ...errorOf(run),
    warnings: warningsOf(run),
  };
}
