import { z } from 'zod';
import { delaySeconds, failurePolicy, metadata, priority, shares, time } from '../call/fields.js';

const jobId = z.string().min(1).max(200);

/** What submit_job takes. */
export const newJob = z.strictObject({
  type: z.string().min(1).max(100).describe('Such as ml_experiment, backtest.'),
  payload: metadata.describe('As its schema says.'),
  metadata: metadata.optional(),
  priority: priority.optional(),
  depends_on: z.array(jobId).max(100).optional().describe('Jobs that must be completed first.'),
  on_dependency_failure: failurePolicy.optional().describe('When one of those fails; cancel unless given.'),
  run_at: time.optional().describe('Not started before this, ISO 8601 with a zone.'),
  delay_seconds: delaySeconds.optional(),
  requires: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'expected a word, such as gpu')
    .optional()
    .describe('What the worker must have that takes it, such as gpu (worker --provides gpu).'),
  max_attempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe('Tries on transient failures or a lost process; 3 unless given.'),
  timeout_seconds: z.int().min(1).max(86_400).optional().describe('How long one try may take; 1,800 unless given.'),
  idempotency_key: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('A name of your own: the same key again returns the same job.'),
  concurrency_key: shares.concurrencyKey,
  concurrency_limit: shares.concurrencyLimit,
  unique_key: shares.uniqueKey,
});
