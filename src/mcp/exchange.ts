import type { ClientCapabilities, Implementation } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { invalidParams } from './json-rpc.js';
import { explainIssues } from './refusal.js';

/** Who is at the other end, as far as it has said. */
export interface Peer {
  info: Implementation | undefined;
  capabilities: ClientCapabilities | undefined;
}

/** What a server may ask its client for while it answers a request. */
export interface Question {
  method: 'sampling/createMessage' | 'elicitation/create' | 'roots/list';
  params: Record<string, unknown>;
}

/** One request of a client, in whichever version of the protocol it came. */
export interface Exchange {
  readonly peer: Peer;
  readonly signal: AbortSignal;
  /** Set if the client wants to be told of progress. */
  readonly progressToken: string | number | undefined;
  /** Sends a notification that belongs to this request. One that cannot be sent is dropped. */
  notify(method: string, params: Record<string, unknown>): void;
  /** For a client that shows its server's log. */
  log(entry: { level: 'error'; logger: string; data: string }): void;
  /** Resolves to the client's answer, unchecked. Rejects if it gives none in time. */
  ask(question: Question, limitMs: number): Promise<unknown>;
}

export type Handler = (params: unknown, exchange: Exchange) => object | Promise<object>;

/** What answers requests, by method. */
export type Handlers = Readonly<Record<string, Handler>>;

/** A request that is answered with an error of JSON-RPC; both SDKs take code and data from it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The params of a request. Throws RequestError for others than the schema takes, with what is wrong in words. */
export function readParams<Params extends z.ZodType>(
  method: string,
  schema: Params,
  params: unknown,
): z.output<Params> {
  const { data, error } = z.object({ params: schema }).safeParse({ params });
  if (error) throw new RequestError(invalidParams, explainIssues(method, error.issues));
  return (data as { params: z.output<Params> }).params;
}
