import { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import { AgentError, defineAgent } from './define-agent.js';
import { type CalledAnswer, callModel, type ModelCallNeeds } from './model-call.js';

export const modelParams = z
  .strictObject({
    max_tokens: z.int().min(1).max(1_000_000).optional().describe('Longest answer, in tokens.'),
    temperature: z.number().min(0).max(2).optional().describe('Left out for models that refuse it.'),
    top_p: z.number().min(0).max(1).optional().describe('Left out for models that refuse it.'),
    top_k: z.int().min(0).max(1_000).optional().describe('Left out for models that refuse it.'),
    stop_sequences: z.array(z.string().min(1)).max(16).optional().describe('Texts that end the answer.'),
    num_ctx: z.int().min(256).max(10_000_000).optional().describe('Ollama: context window in tokens.'),
    json_schema: z.record(z.string(), z.unknown()).optional().describe('JSON schema that the answer must follow.'),
  })
  .describe('Parameters of the model call.');

export const llmPayload = z.strictObject({
  prompt: z.string().min(1),
  system: z.string().optional(),
  model: z.string(),
  fallback_models: z.array(z.string()).default([]),
  params: modelParams.default({}),
  /** Whether a cut-off answer fails the job, because other tasks would build on it unseen. */
  must_be_whole: z.boolean().default(false),
});

/** The agent of background LLM tasks: one model call, whose text is the job's output. */
export function createLlmAgent(needs: ModelCallNeeds) {
  return defineAgent({
    type: 'llm',
    description: 'Sends a prompt to a language model and stores its answer.',
    payload: llmPayload,
    async execute(job, context) {
      const answer = await callModel(job.payload, job, context, needs);
      if (job.payload.must_be_whole && answer.stopReason === 'max_tokens') throw answerCut(answer);
      return { model: answer.model, stop_reason: answer.stopReason };
    },
  });
}

function answerCut({ isCutByBudget, usage }: CalledAnswer): Error {
  const message = `The answer was cut off after ${usage.outputTokens} tokens`;
  if (!isCutByBudget) return new AgentError('answer_cut', `${message}, the most that one answer may have.`);
  return new RuntimeError(
    'budget_exhausted',
    `${message}, all that the token budget allowed.`,
    'Raise the token_budget: of a task with retry_task, of a goal with update_goal.',
  );
}
