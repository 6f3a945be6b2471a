import { isObject } from '../base/json.js';
import { RequestError } from './exchange.js';
import { invalidParams } from './json-rpc.js';

/** The tool that the params of `tools/call` name, with its arguments. Throws invalid params when the name is no text. */
export function calledTool(params: unknown): { name: string; arguments?: unknown } {
  if (isObject(params) && typeof params.name === 'string') return { ...params, name: params.name };
  throw new RequestError(invalidParams, 'tools/call: params.name: must be text, the name of a tool.');
}
