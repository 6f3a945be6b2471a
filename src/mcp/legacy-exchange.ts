import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  type JSONRPCRequest,
  type LoggingMessageNotificationParams,
  McpError,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Exchange, Peer, Question } from './exchange.js';

/** One request of a client that has initialized a session, until it is answered or cancelled. */
export class LegacyExchange implements Exchange {
  isCancelled = false;
  readonly #server: Server;
  readonly #request: JSONRPCRequest;
  #controller: AbortController | undefined;

  constructor(server: Server, request: JSONRPCRequest) {
    this.#server = server;
    this.#request = request;
  }

  get peer(): Peer {
    return { info: this.#server.getClientVersion(), capabilities: this.#server.getClientCapabilities() };
  }

  /** Made when it is asked for: few calls wait for anything. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.isCancelled) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  get progressToken(): string | number | undefined {
    return this.#request.params?._meta?.progressToken;
  }

  cancel(reason?: unknown): void {
    this.isCancelled = true;
    this.#controller?.abort(reason);
  }

  notify(method: string, params: Record<string, unknown>): void {
    if (this.isCancelled) return;
    this.#server.notification({ method, params } as ServerNotification, this.#related).catch(() => {});
  }

  log(entry: LoggingMessageNotificationParams): void {
    this.#server.sendLoggingMessage(entry).catch(() => {});
  }

  async ask(question: Question, limitMs: number): Promise<unknown> {
    if (this.isCancelled) throw new McpError(ErrorCode.ConnectionClosed, 'The request was cancelled.');
    const options = { ...this.#related, signal: this.signal, timeout: limitMs };
    return this.#server.request(question as ServerRequest, z.looseObject({}), options);
  }

  /** Over HTTP, what belongs to a request goes back on the stream of its answer. */
  get #related() {
    return { relatedRequestId: this.#request.id };
  }
}
