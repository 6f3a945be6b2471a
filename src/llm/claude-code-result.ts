import type { ChildEnd } from '../base/child-process.js';
import { isObject } from '../base/json.js';
import { type ModelAnswer, ModelError, type ModelFailure, type ModelRequest, type ModelUsage } from '../core/ports.js';
import { exitWords, noResult } from './cli.js';
import { failureOfStatus, redactedDetail } from './failure.js';

/**
 * Reads the outcome of `claude -p --output-format json`. Success needs all of exit code 0, a readable result and no
 * `is_error`: an API error prints a result of subtype `success`, and an interrupted run exits with 0 and no output.
 *
 * The shapes were measured with Claude Code 2.1.328.
 *
 * @throws ModelError for everything else
 */
export function readClaudeCodeResult(
  end: ChildEnd,
  request: ModelRequest,
  secrets: readonly (string | undefined)[],
): ModelAnswer {
  const result = parseResult(end.stdout);
  const words = (text: string) => redactedDetail(text, secrets);
  if (!result) throw noResult('Claude Code', end, words(end.stderr || end.stdout), 'claude -p hello');
  const usage = readUsage(result);
  if (result.is_error === true || String(result.subtype).startsWith('error')) {
    throw failedResult(result, request, usage, words(errorWords(result)));
  }
  if (end.exitCode !== 0) {
    const message = `Claude Code gave an answer, but ended with ${exitWords(end)}. Try again.`;
    throw new ModelError('invalid_output', message, {
      status: end.exitCode ?? undefined,
      detail: words(end.stderr),
      usage,
    });
  }
  if (result.stop_reason === 'refusal') {
    throw new ModelError('refused', 'Claude Code refused to answer. Change the prompt, or use another model.', {
      usage,
    });
  }
  const text = answerText(result);
  if (text === undefined) {
    const message = 'Claude Code ended well but gave no answer in its result. Try again, or update Claude Code.';
    throw new ModelError('invalid_output', message, { usage });
  }
  return {
    text,
    model: mainModel(result) ?? request.model,
    stopReason: typeof result.stop_reason === 'string' ? result.stop_reason : 'end_turn',
    usage,
    warnings: denialWarnings(result),
    ...(request.session?.isKept && typeof result.session_id === 'string' ? { sessionId: result.session_id } : {}),
  };
}

/** The output of another program in any version, so no field is certain. */
type Result = Record<string, unknown>;

function parseResult(stdout: string): Result | undefined {
  try {
    const parsed: unknown = JSON.parse(stdout);
    // With `verbose` in the user's settings it prints all messages as a list, the result last.
    const result = Array.isArray(parsed)
      ? parsed.findLast((message) => isObject(message) && isResult(message))
      : parsed;
    return isObject(result) && isResult(result) ? result : undefined;
  } catch {
    return undefined;
  }
}

const isResult = (message: Result): boolean => message.type === 'result';

function errorWords(result: Result): string {
  if (typeof result.result === 'string' && result.result !== '') return result.result;
  if (Array.isArray(result.errors)) return result.errors.map(String).join('; ');
  return String(result.terminal_reason ?? result.subtype ?? '');
}

function failedResult(
  result: Result,
  request: ModelRequest,
  usage: ModelUsage,
  detail: string | undefined,
): ModelError {
  const status = typeof result.api_error_status === 'number' ? result.api_error_status : undefined;
  const failure = failureOf(result, status, detail ?? '');
  const message = messages[failure] ?? 'Claude Code failed at its task. Try again.';
  return new ModelError(failure, message.replace('MODEL', request.model), { status, detail, usage });
}

function failureOf({ subtype }: Result, status: number | undefined, words: string): ModelFailure {
  if (status !== undefined) return failureOfStatus(status);
  if (subtype === 'error_max_budget_usd' || subtype === 'error_max_turns') return 'exhausted';
  // A missing login and the limit of a subscription have no status, only the CLI's own words.
  if (/\/login\b|not logged in/i.test(words)) return 'auth';
  if (/\blimit\b.*\b(reached|reset)|hit your .*\blimit\b/i.test(words)) return 'rate_limited';
  return 'invalid_output';
}

const messages: Partial<Record<ModelFailure, string>> = {
  auth: 'Claude Code is not logged in, or its login was refused. Run `claude` and log in with /login.',
  exhausted: 'Claude Code reached the budget of the call before it had an answer. Raise maxBudgetUsd, or ask for less.',
  not_found: 'Claude Code has no model MODEL. Use sonnet, opus, haiku, or a current Claude id.',
  invalid_request: 'The request of Claude Code to MODEL was refused as invalid. Change the prompt.',
  rate_limited: 'Claude Code has reached the limit of its plan. Try again later, or use another model.',
  overloaded: 'Claude Code could not reach a model that serves it. Try again later.',
  timeout: 'Claude Code got no answer from its model in time. Try again.',
};

function answerText(result: Result): string | undefined {
  // With `--json-schema` the object stands beside the text.
  if (result.structured_output !== undefined) return JSON.stringify(result.structured_output);
  return typeof result.result === 'string' ? result.result : undefined;
}

/** All input tokens, cached or not: the budget counts tokens, not prices. */
function readUsage({ usage, total_cost_usd: cost }: Result): ModelUsage {
  const own = typeof cost === 'number' ? { costUsd: cost } : {};
  if (!isObject(usage)) return { inputTokens: 0, outputTokens: 0, ...own };
  return {
    ...own,
    inputTokens:
      count(usage.input_tokens) + count(usage.cache_creation_input_tokens) + count(usage.cache_read_input_tokens),
    outputTokens: count(usage.output_tokens),
  };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** The model with the most output: Claude Code also uses a small one for minor work. */
function mainModel({ modelUsage }: Result): string | undefined {
  if (!isObject(modelUsage)) return undefined;
  const written = ([, usage]: [string, unknown]) => (isObject(usage) ? count(usage.outputTokens) : 0);
  return Object.entries(modelUsage).sort((one, other) => written(other) - written(one))[0]?.[0];
}

function denialWarnings({ permission_denials: denials }: Result): string[] {
  if (!Array.isArray(denials) || denials.length === 0) return [];
  const tools = new Set(denials.map((denial) => (isObject(denial) ? String(denial.tool_name) : 'a tool')));
  return [`Claude Code was not allowed to use ${[...tools].join(', ')}: grant it in allowedTools if it should.`];
}
