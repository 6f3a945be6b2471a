import { z } from 'zod';
import { passingScore } from '../core/tasks/verdict.js';
import { verifyTask } from '../services/verify-task.js';
import { defineTool } from './call/define-tool.js';
import { taskReference } from './call/fields.js';
import { showVerdict, verdictOutput } from './shapes/verdict.js';

/** The judge for those who work by hand. */
export const verifyTools = [
  defineTool({
    name: 'verify_task',
    title: 'Verify a task',
    effect: 'write',
    isExternal: true,
    description: 'Has a model judge a result by the acceptance criteria of its task, before you complete it.',
    input: z.strictObject({
      task_id: taskReference,
      result: z
        .string()
        .min(1)
        .max(1_000_000)
        .optional()
        .describe('What you would complete it with; its stored result unless given.'),
      model: z.string().min(1).max(200).optional().describe('The model that judges; the default unless given.'),
    }),
    output: z.strictObject({
      task_id: z.int(),
      /** A task_id for wait_for_tasks and check_task_status. */
      job_id: z.string(),
      status: z.enum(['completed', 'running']),
      ...verdictOutput.partial().shape,
    }),
    text: ({ score, missing = [], job_id, judge }) =>
      score === undefined
        ? `Still being judged: wait_for_tasks with ${job_id}`
        : [
            `Score ${score}${score >= passingScore ? ', passed' : ''} (judged by ${judge})`,
            ...missing.map((one) => `Missing: ${one}`),
          ].join('\n'),
    handler: async (input, context) => {
      const { taskId, jobId, verdict } = await verifyTask(input, context);
      const status = verdict ? ('completed' as const) : ('running' as const);
      return { task_id: taskId, job_id: jobId, status, ...(verdict ? showVerdict(verdict) : {}) };
    },
  }),
];
