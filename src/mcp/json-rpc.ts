import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { isObject } from '../base/json.js';

/** Codes of JSON-RPC 2.0. */
export const invalidRequest = -32600;
export const methodNotFound = -32601;
export const invalidParams = -32602;
export const internalError = -32603;

const version = z.literal('2.0');
const id = z.union([z.string(), z.int()]);
const meta = z.looseObject({ progressToken: z.union([z.string(), z.int()]).optional() });
const params = z.looseObject({ _meta: meta.optional() });

/** A request as MCP allows it (MCP spec, base protocol). Loading the SDK's own schemas would take longer than the rest. */
export const requestSchema = z.strictObject({ jsonrpc: version, id, method: z.string(), params: params.optional() });

const notificationSchema = z.strictObject({ jsonrpc: version, method: z.string(), params: params.optional() });
const resultSchema = z.strictObject({ jsonrpc: version, id, result: params });
const errorSchema = z.strictObject({
  jsonrpc: version,
  id: id.optional(),
  error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
});

/** Any message of JSON-RPC. */
export const messageSchema = z.union([
  requestSchema,
  notificationSchema,
  resultSchema,
  errorSchema,
]) as unknown as z.ZodType<JSONRPCMessage>;

const requestNames = new Set(['jsonrpc', 'id', 'method', 'params']);

/**
 * Whether a message is a request that `requestSchema` takes; every call of a tool is one. It is a tenth of what the schema
 * takes, which is left to say what is wrong with others.
 */
export function isRequest(message: unknown): message is JSONRPCRequest {
  if (!isObject(message)) return false;
  const { jsonrpc, id, method, params } = message;
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isId(id)) return false;
  for (const name of Object.keys(message)) if (!requestNames.has(name)) return false;
  return params === undefined || (isObject(params) && (params._meta === undefined || isMeta(params._meta)));
}

const isId = (value: unknown): boolean => typeof value === 'string' || Number.isSafeInteger(value);

const isMeta = (value: unknown): boolean =>
  isObject(value) && (value.progressToken === undefined || isId(value.progressToken));
