import { z } from 'zod';
import { type JsonObject, jsonWithin } from '../base/json.js';
import { type AgentContext, AgentError, type AgentJob } from './define-agent.js';
import { callModel, type ModelCallNeeds } from './model-call.js';

/** What to ask a judge. */
export interface JudgeRequest<Verdict> {
  model: string;
  fallbackModels?: readonly string[] | undefined;
  prompt: string;
  /** The form of its verdict. */
  schema: z.ZodType<Verdict>;
}

/** A judge whose answer is not a verdict gets a second try, with the reason. */
const tries = 2;

/** `max_tokens` of a verdict. */
const longestVerdict = 1_500;

/**
 * Asks a model for a verdict. Resolves to it and to the model that gave it. Its text is no part of the job's output.
 *
 * @throws AgentError `INVALID_VERDICT` when the judge gives no verdict; and the errors of `callModel`
 */
export async function askJudge<Verdict>(
  request: JudgeRequest<Verdict>,
  job: AgentJob<unknown>,
  context: AgentContext,
  needs: ModelCallNeeds,
): Promise<{ verdict: Verdict; model: string }> {
  const { model, fallbackModels = [], schema } = request;
  const silent: AgentContext = { ...context, signal: context.signal, output: () => {}, restartOutput: () => {} };
  let complaint = '';
  for (let attempt = 1; ; attempt++) {
    const params = { max_tokens: longestVerdict, json_schema: z.toJSONSchema(schema) as JsonObject };
    const call = { prompt: request.prompt + complaint, model, fallback_models: fallbackModels, params };
    const answer = await callModel(call, job, silent, needs);
    const read = readVerdict(schema, answer.text);
    if ('verdict' in read) return { verdict: read.verdict, model: answer.model };
    if (attempt === tries) {
      throw new AgentError('INVALID_VERDICT', `The judge ${model} gave no verdict, twice. ${read.problem}`);
    }
    context.log('warn', 'the verdict could not be used', { reason: read.problem });
    complaint = `\n\nYour last answer could not be used. ${read.problem}\nAnswer with the JSON alone.`;
  }
}

function readVerdict<Verdict>(schema: z.ZodType<Verdict>, text: string): { verdict: Verdict } | { problem: string } {
  const value = jsonWithin(text);
  if (value === undefined) return { problem: `It is not JSON: ${JSON.stringify(text.slice(0, 200))}` };
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { verdict: parsed.data }
    : { problem: `It does not follow its schema: ${z.prettifyError(parsed.error)}` };
}
