import { isObject } from '../base/json.js';
import { ModelError, type ModelFailure, type ModelUsage } from '../core/ports.js';
import { failureOfStatus, redactedDetail } from './failure.js';

/** The output of another program in any version, so no field is certain. */
export type Fields = Record<string, unknown>;

/** The objects of an output that has one in each line. Other lines are notes of the program. */
export function readLines(stdout: string): Fields[] {
  return stdout.split('\n').flatMap((line): Fields[] => {
    const object = readObject(line);
    return object ? [object] : [];
  });
}

export function readObject(text: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? Math.round(value) : 0);

/** What a CLI says of its failure, sorted by the HTTP status that its vendor gave, else by its words. */
export function cliFailure(
  who: { label: string; model: string; login: string },
  words: string,
  more: { status?: number | undefined; usage?: ModelUsage | undefined; secrets: readonly (string | undefined)[] },
): ModelError {
  const named = /\bstatus(?: code)?:? (\d{3})\b|"code": ?(\d{3})\b/i.exec(words);
  const status = more.status ?? (named ? Number(named[1] ?? named[2]) : undefined);
  const failure = failureOf(words, status);
  const detail = redactedDetail(words, more.secrets);
  return new ModelError(failure, messageOf(failure, who), { status, detail, usage: more.usage });
}

function failureOf(words: string, status: number | undefined): ModelFailure {
  if (/insufficient_quota|exceeded your current quota|no credit|billing/i.test(words)) return 'exhausted';
  if (/\blimit\b.*\b(reached|reset)|hit your .*\blimit\b|rate.?limit/i.test(words)) return 'rate_limited';
  if (/model.{0,80}(not found|does not exist|not supported)/i.test(words)) return 'not_found';
  if (status !== undefined && status >= 400) return failureOfStatus(status);
  if (/not logged in|log ?in again|please (?:log|sign) in|auth(?:entication)? method|api.?key/i.test(words))
    return 'auth';
  return 'invalid_output';
}

function messageOf(failure: ModelFailure, { label, model, login }: { label: string; model: string; login: string }) {
  switch (failure) {
    case 'auth':
      return `${label} is not logged in, or its login was refused. ${login}`;
    case 'exhausted':
      return `${label} has no credit left with its vendor. Add credit, or use another model.`;
    case 'not_found':
      return `${label} has no model ${model || 'of that name'}. Name another one, or none for its default.`;
    case 'invalid_request':
      return `The request of ${label} was refused as invalid. Change the prompt, or update ${label}.`;
    case 'rate_limited':
      return `${label} has reached the limit of its plan. Try again later, or use another model.`;
    case 'overloaded':
      return `${label} could not reach a model that serves it. Try again later.`;
    case 'timeout':
      return `${label} got no answer from its model in time. Try again.`;
    default:
      return `${label} failed at its task. Try again.`;
  }
}
