import { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import { readConversation } from '../core/goal-runs/conversation.js';
import { jobPrompt, notAccepted } from '../core/goal-runs/job-prompt.js';
import { storeJobVerdict } from '../core/jobs/attempts.js';
import { whyNoResult } from '../core/jobs/refusal.js';
import { checkOutput, requireUsableSchema } from '../core/relay/output-schema.js';
import type { TaskRow } from '../core/tasks/task.js';
import { passingScore, type Verdict } from '../core/tasks/verdict.js';
import type { Worktrees } from '../worktrees/worktrees.js';
import { type AgentContext, AgentError, type AgentJob, defineAgent } from './define-agent.js';
import { judgeTask } from './judge-task.js';
import { type CalledAnswer, callModel, type ModelCall, type ModelCallNeeds } from './model-call.js';
import { openPlace } from './working-place.js';

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
  /** Whether an empty or cut-off answer fails the job, because other tasks would build on it unseen. */
  must_be_whole: z.boolean().default(false),
  /** Whether the answer is judged by the acceptance criteria of its task on the board, where that has some. */
  verify: z.boolean().default(true),
  /** The background task whose conversation it continues. */
  continue_from: z.string().optional(),
  /** Where a CLI works, as an absolute path: there itself, or in a worktree of the repository there. */
  working_directory: z.string().optional(),
  worktree: z.boolean().default(false),
  /** Whether a CLI keeps its session, so that it can be continued. */
  keep_session: z.boolean().default(false),
});

type Payload = z.output<typeof llmPayload>;

export interface LlmNeeds extends ModelCallNeeds {
  worktrees: Worktrees;
}

/**
 * The agent of background LLM tasks: a model call, whose text is the job's output. An answer that breaks its JSON schema
 * is asked for once more. One that does not meet the acceptance criteria of its task fails the attempt, and the next
 * attempt is told why.
 */
export function createLlmAgent(needs: LlmNeeds) {
  return defineAgent({
    type: 'llm',
    description: 'Sends a prompt to a language model and stores its answer.',
    payload: llmPayload,
    async execute(job, context) {
      const { prompt, task } = await jobPrompt(needs.db, job.id, job.payload.prompt);
      const { continue_from, working_directory: directory, worktree: isWorktree, keep_session: isKept } = job.payload;
      const said = continue_from === undefined ? undefined : await readConversation(needs.db, continue_from);
      const continued = said?.jobIds ?? [];
      const place = await openPlace(
        { jobId: job.id, prompt: job.payload.prompt, directory, isWorktree, continued },
        needs,
      );
      const call: ModelCall = {
        ...job.payload,
        prompt,
        history: said?.exchanges,
        workingDirectory: place.directory,
        session: { isKept, resume: said?.session },
      };
      const answer = await answerBySchema(call, job, context, needs);
      if (job.payload.must_be_whole) requireWhole(answer);
      if (task) await verify(task, answer, job, context, needs);
      const worktree = await place.close();
      return {
        ...{ model: answer.model, stop_reason: answer.stopReason },
        ...(answer.sessionId === undefined ? {} : { session_id: answer.sessionId }),
        ...(worktree === undefined ? {} : { worktree }),
      };
    },
  });
}

/** Calls the model, and once more with what was wrong when its answer breaks the JSON schema. */
async function answerBySchema(
  call: ModelCall,
  job: AgentJob<Payload>,
  context: AgentContext,
  needs: ModelCallNeeds,
): Promise<CalledAnswer> {
  const schema = job.payload.params.json_schema as JsonObject | undefined;
  if (schema !== undefined) await requireUsableSchema(schema, 'json_schema');
  const answer = await callModel(call, job, context, needs);
  if (schema === undefined) return answer;
  const problem = await applySchema(schema, answer, context);
  if (problem === undefined) return answer;

  context.log('warn', 'the answer breaks its schema', { reason: problem });
  context.restartOutput();
  const complaint = `\n\nYour last answer could not be used: ${problem}.\nAnswer with JSON that follows the schema, and nothing else.`;
  const second = await callModel({ ...call, prompt: call.prompt + complaint }, job, context, needs);
  const stillWrong = await applySchema(schema, second, context);
  if (stillWrong === undefined) return second;
  throw new AgentError('invalid_output', `The answer does not follow json_schema, twice: ${stillWrong}.`);
}

/** Resolves to what is wrong with an answer. JSON with talk or a fence around it becomes the bare JSON. */
async function applySchema(
  schema: JsonObject,
  answer: CalledAnswer,
  context: AgentContext,
): Promise<string | undefined> {
  const checked = await checkOutput(schema, answer.text);
  if ('problem' in checked) {
    return answer.stopReason === 'max_tokens' ? `${checked.problem} (it was cut off)` : checked.problem;
  }
  if (typeof checked.output !== 'string' && !isBareJson(answer.text)) {
    context.restartOutput();
    context.output(JSON.stringify(checked.output));
  }
  return undefined;
}

function isBareJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function requireWhole({ text, stopReason, isCutByBudget, usage }: CalledAnswer): void {
  if (text.trim() === '') throw new AgentError('invalid_output', 'The model gave an empty answer.', true);
  if (stopReason !== 'max_tokens') return;
  const message = `The answer was cut off after ${usage.outputTokens} tokens`;
  if (!isCutByBudget) throw new AgentError('answer_cut', `${message}, the most that one answer may have.`);
  throw new RuntimeError(
    'budget_exhausted',
    `${message}, all that the token budget allowed.`,
    'Raise the token_budget: of a task with retry_task, of a goal with update_goal.',
  );
}

/** Fails the attempt when the answer does not meet the acceptance criteria of its task. */
async function verify(
  task: TaskRow,
  { text }: CalledAnswer,
  job: AgentJob<Payload>,
  context: AgentContext,
  needs: ModelCallNeeds,
): Promise<void> {
  // An answer that gives up fails its task without a judge.
  if (!job.payload.verify || task.acceptance === null || whyNoResult(text) !== undefined) return;
  const { title, description, acceptance, expected_output: expectedOutput } = task;
  const { model, fallback_models: fallbackModels } = job.payload;
  context.progress(0.6, `${model} judges the answer by the acceptance criteria`);
  const verdict = await judgeTask(
    { model, fallbackModels, title, description, acceptance, expectedOutput, result: text },
    job,
    context,
    needs,
  );
  await needs.db.transaction((sql) => storeJobVerdict(sql, job, verdict));
  if (!verdict.passed) throw new AgentError(notAccepted, rejection(verdict), true);
}

function rejection({ score, missing }: Verdict): string {
  const what = missing.length === 0 ? '' : ` Missing: ${missing.join(' ')}`;
  return `The answer does not meet the acceptance criteria: score ${score}, ${passingScore} is needed.${what}`;
}
