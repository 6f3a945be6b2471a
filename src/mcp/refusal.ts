import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { isObject } from '../base/json.js';
import { invalidParams, invalidRequest, requestSchema } from './json-rpc.js';

export interface Refusal {
  jsonrpc: '2.0';
  id: RequestId;
  error: { code: number; message: string };
}

export const refusal = (id: RequestId, code: number, message: string): Refusal => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

/**
 * The answer to a request that the SDK would drop without one: its params are no object, its progress token is of another
 * kind, or it has members that no request has. Undefined for every other message.
 */
export function refusalOf(message: unknown): Refusal | undefined {
  if (!isObject(message) || typeof message.method !== 'string') return undefined;
  const { id, method } = message;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
  const { error } = requestSchema.safeParse(message);
  if (!error) return undefined;
  const isOfParams = error.issues.every(({ path }) => path[0] === 'params');
  const code = isOfParams ? invalidParams : invalidRequest;
  return refusal(id as RequestId, code, explainIssues(method, error.issues));
}

/** What is wrong with a request, in words: `prompts/get: params: Invalid input: expected object, received undefined.` */
export function explainIssues(method: string, issues: readonly z.core.$ZodIssue[]): string {
  const problems = issues.map(({ path, message }) => {
    const what = path.at(-1) === 'progressToken' ? 'must be a string or an integer' : message;
    return path.length === 0 ? what : `${path.map(String).join('.')}: ${what}`;
  });
  return `${method.slice(0, 100)}: ${problems.join('; ')}.`;
}
