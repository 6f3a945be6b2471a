import { setImmediate as afterOthers } from 'node:timers/promises';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Handlers, RequestError } from './exchange.js';
import { internalError } from './json-rpc.js';
import { LegacyExchange } from './legacy-exchange.js';

/**
 * A transport before the SDK's server, which answers the requests of some methods itself and hands on all else: the SDK
 * looks at each message through four schemas and keeps a controller and closures for each request, which is a third of
 * what a short call takes besides its own work.
 */
export class OwnRequests implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];

  readonly #wire: Transport;
  readonly #handlers: Handlers;
  readonly #server: Server;
  readonly #underWay = new Map<RequestId, LegacyExchange>();

  constructor(wire: Transport, handlers: Handlers, server: Server) {
    this.#wire = wire;
    this.#handlers = handlers;
    this.#server = server;
  }

  get sessionId(): string | undefined {
    return this.#wire.sessionId;
  }

  start(): Promise<void> {
    // Whoever has opened it may listen too.
    const { onclose, onerror } = this.#wire;
    this.#wire.onclose = () => {
      onclose?.();
      for (const exchange of this.#underWay.values()) exchange.cancel();
      this.onclose?.();
    };
    this.#wire.onerror = (error) => {
      onerror?.(error);
      this.onerror?.(error);
    };
    this.#wire.onmessage = (message, extra) => {
      if (this.#isOwn(message)) {
        void this.#answer(message);
        return;
      }
      if ('method' in message && message.method === 'notifications/cancelled') this.#cancel(message.params);
      this.onmessage?.(message, extra);
    };
    return this.#wire.start();
  }

  readonly send: Transport['send'] = (message, options) => this.#wire.send(message, options);

  close(): Promise<void> {
    return this.#wire.close();
  }

  #isOwn(message: JSONRPCMessage): message is JSONRPCRequest {
    return 'id' in message && 'method' in message && Object.hasOwn(this.#handlers, message.method);
  }

  #cancel(params: unknown): void {
    const { requestId, reason } = isObject(params) ? params : {};
    this.#underWay.get(requestId as RequestId)?.cancel(reason);
  }

  /** A request that has been cancelled is not answered. */
  async #answer(request: JSONRPCRequest): Promise<void> {
    const { id, method, params } = request;
    const exchange = new LegacyExchange(this.#server, request);
    this.#underWay.set(id, exchange);
    // A client that does not wait for the answer to `initialize`: the SDK takes up a message a little after it has come.
    if (!this.#server.getClientVersion()) await afterOthers();
    let answer: JSONRPCMessage;
    try {
      const result = await this.#handlers[method]?.(params, exchange);
      answer = { jsonrpc: '2.0', id, result: result as Record<string, unknown> };
    } catch (error) {
      answer = { jsonrpc: '2.0', id, error: errorOf(error) };
    }
    // Another request may have been given the same id.
    if (this.#underWay.get(id) === exchange) this.#underWay.delete(id);
    if (exchange.isCancelled) return;
    try {
      await this.#wire.send(answer);
    } catch (error) {
      this.onerror?.(new Error(`The answer to ${method} could not be sent: ${messageOf(error)}`, { cause: error }));
    }
  }
}

function errorOf(error: unknown): { code: number; message: string; data?: unknown } {
  const { code, data } = error as Partial<RequestError>;
  return {
    code: Number.isSafeInteger(code) ? (code as number) : internalError,
    message: messageOf(error),
    ...(data === undefined ? {} : { data }),
  };
}
