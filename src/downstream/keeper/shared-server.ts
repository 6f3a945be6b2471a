import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResultResponse,
  ProgressToken,
  RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { notSentCode, StdioTransport, type StdioTransportNeeds, tooLargeCode } from '../connection/stdio-transport.js';

/** A session's connection to an instance. */
export interface Guest {
  send(message: JSONRPCMessage): void;
  /** The process has ended, by itself if `exit` says how; `said` is the end of its stderr. */
  ended(how: { exit: string | undefined; said: string }): void;
}

export interface SharedServerNeeds extends StdioTransportNeeds {
  /** How long it may take to answer a health check. */
  checkMs: number;
  /** Called once, when its process has ended. */
  onEnded(): void;
}

type Answer = JSONRPCResultResponse | JSONRPCErrorResponse;

interface Pending {
  /** Undefined for a request of the keeper itself. */
  guest: Guest | undefined;
  /** The id and the progress token by which its session knows it. */
  id: RequestId;
  token: ProgressToken | undefined;
  answered?(answer: Answer): void;
}

/** After so many answers in a row that blame the server, a doubt about it is believed. */
const failuresToReplace = 5;

/** What blames the caller: no JSON, no request, an unknown method, wrong parameters (JSON-RPC 2.0, 5.1). */
const callersFaults = new Set([-32700, -32600, -32601, -32602]);
const methodNotFound = -32601;

/** What concerns everybody. Other notifications belong to the request of one session. */
const forAll = /^notifications\/(\w+\/list_changed|resources\/updated)$/;

/**
 * One process of a server that many sessions use as if each had one of its own: ids and progress tokens are made anew on
 * the way in and put back on the way out, so that an answer, a step of progress and a cancellation reach one session alone.
 */
export class SharedServer {
  readonly #needs: SharedServerNeeds;
  readonly #transport: StdioTransport;
  readonly #guests = new Set<Guest>();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  /** The server is initialized once. Sessions of one version ask for the same, and all get this answer. */
  #initializing: Promise<Answer> | undefined;
  #failuresInRow = 0;
  #checking: Promise<void> | undefined;
  /** Why it was ended although nobody asked for it. */
  #replaced: string | undefined;
  /** Whether it has ended, or was asked to. */
  #isEnding = false;

  constructor(needs: SharedServerNeeds) {
    this.#needs = needs;
    this.#transport = new StdioTransport(needs);
    this.#transport.onmessage = (message) => this.#receive(message);
    this.#transport.onclose = () => this.#ended();
  }

  /** Rejects with the system's error if the process cannot be started. */
  start(): Promise<void> {
    return this.#transport.start();
  }

  get pid(): number | undefined {
    return this.#transport.pid;
  }

  get guests(): number {
    return this.#guests.size;
  }

  join(guest: Guest): void {
    this.#guests.add(guest);
  }

  /** Cancels what the guest has under way. */
  leave(guest: Guest): void {
    this.#guests.delete(guest);
    for (const [id, { guest: owner }] of this.#pending) if (owner === guest) this.#cancel(id, 'the session has ended');
  }

  /** Takes a message of a session to the server. */
  take(guest: Guest, message: JSONRPCMessage): void {
    // The server's own requests are answered here, for all.
    if (!('method' in message)) return;
    if ('id' in message) {
      if (message.method === 'initialize') void this.#initialize(guest, message);
      else this.#pass(guest, message);
    } else if (message.method === 'notifications/cancelled') {
      const cancelled = message.params?.requestId;
      for (const [id, pending] of this.#pending)
        if (pending.guest === guest && pending.id === cancelled) this.#cancel(id, message.params?.reason);
    }
  }

  /** Resolves when nobody doubts it any more, to whether it works. */
  async isWell(): Promise<boolean> {
    await this.#checking;
    return this.#replaced === undefined && !this.#isEnding;
  }

  /** Looks whether it works, and ends it if it does not. */
  doubt(): void {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
  }

  /** Asks it to end, and kills it if it does not. */
  close(): Promise<void> {
    this.#isEnding = true;
    return this.#transport.close();
  }

  async #check(): Promise<void> {
    const why =
      this.#failuresInRow >= failuresToReplace
        ? `${this.#failuresInRow} calls in a row failed`
        : (await this.#answersPing()) || (await this.#answersPing())
          ? undefined
          : `it did not answer two health checks of ${this.#needs.checkMs} ms`;
    if (why === undefined) return;
    this.#replaced = `it was replaced: ${why}`;
    this.#transport.kill();
  }

  #answersPing(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#needs.checkMs);
      // One that does not know ping answers with an error, and answers.
      const ping = this.#ask({ jsonrpc: '2.0', id: 0, method: 'ping' });
      void ping.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  async #initialize(guest: Guest, request: JSONRPCRequest): Promise<void> {
    this.#initializing ??= this.#ask(request).then((answer) => {
      if ('result' in answer) this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' }).catch(() => {});
      else this.#initializing = undefined;
      return answer;
    });
    guest.send({ ...(await this.#initializing), id: request.id });
  }

  /** A request of the keeper's own. */
  #ask(request: JSONRPCRequest): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((answered) => {
      this.#pending.set(id, { guest: undefined, id, token: undefined, answered });
      this.#send({ ...request, id }).catch(() => {});
    });
  }

  #pass(guest: Guest, request: JSONRPCRequest): void {
    const id = ++this.#lastId;
    const token = request.params?._meta?.progressToken;
    this.#pending.set(id, { guest, id: request.id, token });
    const params = { ...request.params, _meta: { ...request.params?._meta, progressToken: id } };
    this.#send(token === undefined ? { ...request, id } : { ...request, id, params }).catch(() => {
      if (!this.#pending.delete(id)) return;
      guest.send({ jsonrpc: '2.0', id: request.id, error: { code: notSentCode, message: '' } });
    });
  }

  /** A late answer to it finds nobody. */
  #cancel(id: number, reason: unknown): void {
    this.#pending.delete(id);
    this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } }).catch(
      () => {},
    );
  }

  #send(message: JSONRPCMessage): Promise<void> {
    return this.#transport.send(message);
  }

  #receive(message: JSONRPCMessage): void {
    if (!('method' in message)) this.#answered(message);
    else if ('id' in message) this.#refuse(message);
    else if (message.method === 'notifications/progress') this.#progressed(message);
    else if (forAll.test(message.method)) for (const guest of this.#guests) guest.send(message);
  }

  #answered(answer: Answer): void {
    const pending = this.#pending.get(Number(answer.id));
    if (!pending) return;
    this.#pending.delete(Number(answer.id));
    const isFailure = 'error' in answer && !callersFaults.has(answer.error.code) && answer.error.code !== tooLargeCode;
    this.#failuresInRow = isFailure ? this.#failuresInRow + 1 : 0;
    pending.answered?.(answer);
    pending.guest?.send({ ...answer, id: pending.id });
  }

  #progressed(notification: JSONRPCNotification): void {
    const pending = this.#pending.get(Number(notification.params?.progressToken));
    if (pending?.token === undefined) return;
    pending.guest?.send({ ...notification, params: { ...notification.params, progressToken: pending.token } });
  }

  /** Such a request needs the model or the user of one session, and nobody knows of which. */
  #refuse({ id, method }: JSONRPCRequest): void {
    const refusal = { code: methodNotFound, message: `${method} is not offered: this client only calls tools.` };
    const answer: Answer =
      method === 'ping' ? { jsonrpc: '2.0', id, result: {} } : { jsonrpc: '2.0', id, error: refusal };
    this.#send(answer).catch(() => {});
  }

  #ended(): void {
    this.#isEnding = true;
    const how = { exit: this.#replaced ?? this.#transport.exit, said: this.#transport.stderrTail() };
    for (const guest of this.#guests) guest.ended(how);
    this.#guests.clear();
    this.#pending.clear();
    this.#needs.onEnded();
  }
}
