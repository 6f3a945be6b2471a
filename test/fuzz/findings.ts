import { errorCodes } from '../../src/base/errors.js';
import { isObject } from '../../src/base/json.js';
import type { Message } from './messages.js';

export interface Finding {
  problem: string;
  /** The first message that showed it, and how many did. */
  message: Message;
  count: number;
}

/** What went wrong, each kind once for each tool. */
export class Findings {
  readonly #found = new Map<string, Finding>();

  add(problem: string, message: Message): void {
    const subject = 'tool' in message ? message.tool : message.method;
    const key = `${subject.slice(0, 40)} ${problem.slice(0, 80).replaceAll(/\d+/g, 'N')}`;
    const known = this.#found.get(key);
    if (known) known.count++;
    else this.#found.set(key, { problem, message, count: 1 });
  }

  list(): Finding[] {
    return [...this.#found.values()];
  }
}

/** What is wrong with the answer to a message; undefined for any answer that a caller can act on. */
export function problemOf(answer: Record<string, unknown>): string | undefined {
  const { result, error } = answer;
  if (isObject(error)) return error.code === -32603 ? `-32603: ${error.message}` : undefined;
  if (!isObject(result)) return 'an answer without result or error';
  // A tool of another server may fail in words of its own.
  if (result.isError !== true || isObject(result.structuredContent)) return undefined;
  return problemOfReport(textOf(result));
}

/** The same for a report of an error as JSON text: `{"error": {"code", "message"}}`. */
export function problemOfReport(text: string): string | undefined {
  let report: unknown;
  try {
    report = (JSON.parse(text) as { error?: unknown }).error;
  } catch {
    return `an error that is no JSON: ${text.slice(0, 200)}`;
  }
  if (!isObject(report) || typeof report.message !== 'string') return `an error without words: ${text.slice(0, 200)}`;
  if (report.code === 'internal') return `internal: ${report.message.slice(0, 300)}`;
  if (!errorCodes.some((code) => code === report.code)) return `an unknown code: ${text.slice(0, 200)}`;
  return undefined;
}

function textOf(result: Record<string, unknown>): string {
  const [first] = Array.isArray(result.content) ? (result.content as unknown[]) : [];
  return isObject(first) && typeof first.text === 'string' ? first.text : '';
}

export const shorten = (message: Message): string => JSON.stringify(message).slice(0, 2_000);
