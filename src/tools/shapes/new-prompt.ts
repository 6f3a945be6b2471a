import { z } from 'zod';
import { modelParams } from '../../agents/llm.js';
import { delaySeconds, inWorktree, jobId, priority, shares, taskReference, time, verify } from '../call/fields.js';
import { budgetUsd } from './cost.js';

/** The name of a model. */
export const model = z
  .string()
  .min(1)
  .max(200)
  .describe('Such as claude-sonnet-5-5, gemini-3.8-flash, openai:ID, ollama:llama3.2, claude-code:sonnet.');

/** What submit_background_task takes. */
export const newPrompt = z.strictObject({
  task_description: z.string().min(1).max(2_000_000).describe('The prompt.'),
  model: model.optional(),
  model_params: modelParams.optional(),
  system: z.string().max(200_000).optional().describe('System prompt.'),
  priority: priority.optional(),
  depends_on: z.array(jobId).max(100).optional().describe('Results go where {{results}} stands, or at the end.'),
  fallback_models: z
    .array(model)
    .max(5)
    .optional()
    .describe('Asked in turn when the provider of the model before is failing, or its tries are used up.'),
  max_attempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe('Tries on rate limits, server errors, network trouble or a lost process; 3 unless given.'),
  timeout_seconds: z.int().min(1).max(86_400).optional().describe('How long one try may take; 1,800 unless given.'),
  token_budget: z.int().min(1).max(1_000_000_000).optional().describe('Over all tries; budget_usd: in dollars.'),
  budget_usd: budgetUsd.optional().describe('Most US dollars over all tries.'),
  idempotency_key: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('A name of your own: the same key again returns the same task.'),
  concurrency_key: shares.concurrencyKey,
  concurrency_limit: shares.concurrencyLimit,
  unique_key: shares.uniqueKey,
  task_id: taskReference
    .optional()
    .describe('A board task: claimed now, judged unless verify is false, completed or failed.'),
  verify,
  continue_from: jobId.optional().describe('Its conversation goes on.'),
  working_directory: z.string().min(1).max(4_000).optional().describe('Where a CLI works: in your project.'),
  worktree: inWorktree,
  run_at: time.optional(),
  delay_seconds: delaySeconds.optional(),
});
