import type { ServerContext } from '@modelcontextprotocol/server';
import { newUuid } from '../base/ids.js';
import { type Exchange, type Question, RequestError } from './exchange.js';
import { invalidParams } from './json-rpc.js';

/** How long a client may take to put a question to its user or its model. */
const patienceMs = 600_000;

/** Of all clients together. More questions at once are asked by nobody who still listens. */
const mostWaiting = 200;

interface Waiting {
  call: Call;
  /** Only who was asked may answer. */
  caller: string;
  timer: NodeJS.Timeout;
}

/**
 * Requests whose answer needs the client's own first (MCP spec 2026-07-28, multi round-trip requests): the answer is a
 * question with a state, and the client sends the same request again with its reply and the state. Meanwhile the work
 * waits where it is, so that nothing is done twice.
 */
export class Rounds {
  readonly #waiting = new Map<string, Waiting>();

  /** Begins the work of a request, or goes on with it, until it is done or has a question. */
  async run(caller: string, context: ServerContext, work: (exchange: Exchange) => Promise<object>): Promise<object> {
    const state = context.mcpReq.requestState();
    const call = state === undefined ? new Call(work) : this.#take(state, caller);
    const end = await call.round(context);
    if ('result' in end) return end.result;
    const key = this.#keep(call, caller);
    return { resultType: 'input_required', inputRequests: { [questionKey]: end.question }, requestState: key };
  }

  #keep(call: Call, caller: string): string {
    const key = newUuid();
    const timer = setTimeout(() => this.#giveUp(key), patienceMs).unref();
    this.#waiting.set(key, { call, caller, timer });
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > mostWaiting && oldest !== undefined) this.#giveUp(oldest);
    return key;
  }

  #take(state: unknown, caller: string): Call {
    const waiting = typeof state === 'string' ? this.#waiting.get(state) : undefined;
    if (waiting?.caller !== caller) {
      throw new RequestError(invalidParams, 'Invalid or expired requestState. Send the request anew, without it.');
    }
    this.#waiting.delete(state as string);
    clearTimeout(waiting.timer);
    return waiting.call;
  }

  #giveUp(key: string): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    clearTimeout(waiting?.timer);
    waiting?.call.giveUp();
  }
}

/** A call asks one thing at a time. */
const questionKey = 'question';

/** Requests that may be answered with a question, by the specification. */
const asking: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

interface Asked {
  question: Question;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** The work of one request over all of its rounds. */
class Call {
  readonly #work: (exchange: Exchange) => Promise<object>;
  readonly #controller = new AbortController();
  #result: Promise<object> | undefined;
  #context: ServerContext | undefined;
  #asked: Asked | undefined;
  #onQuestion: ((question: Question) => void) | undefined;

  constructor(work: (exchange: Exchange) => Promise<object>) {
    this.#work = work;
  }

  async round(context: ServerContext): Promise<{ result: object } | { question: Question }> {
    this.#context = context;
    const { signal, inputResponses } = context.mcpReq;
    const reply = inputResponses?.[questionKey];
    // Sent again without the reply that it waits for, it is asked again.
    if (this.#asked && reply === undefined) return { question: this.#asked.question };
    const cancel = () => this.#controller.abort(signal.reason);
    signal.addEventListener('abort', cancel);
    const questioned = new Promise<{ question: Question }>((resolve) => {
      this.#onQuestion = (question) => resolve({ question });
    });
    this.#asked?.resolve(reply);
    this.#asked = undefined;
    this.#result ??= this.#work(this.#exchange(context));
    this.#result.catch(() => {});
    try {
      return await Promise.race([this.#result.then((result) => ({ result })), questioned]);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  giveUp(): void {
    this.#asked?.reject(new Error('the client gave no answer'));
    this.#asked = undefined;
  }

  #exchange({ mcpReq: { envelope, _meta } }: ServerContext): Exchange {
    return {
      peer: peerOf(envelope),
      signal: this.#controller.signal,
      progressToken: _meta?.progressToken,
      notify: (method, params) => {
        this.#context?.mcpReq.notify({ method, params }).catch(() => {});
      },
      log: ({ level, logger, data }) => {
        this.#context?.mcpReq.log(level, data, logger).catch(() => {});
      },
      ask: (question) =>
        new Promise((resolve, reject) => {
          if (!asking.has(this.#context?.mcpReq.method ?? '')) return reject(new Error('this request cannot ask'));
          this.#asked = { question, resolve, reject };
          this.#onQuestion?.(question);
        }),
    };
  }
}

/** Who sends a request, as each one says; the SDK has types of its own for the same things. */
export function peerOf(envelope: object | undefined): Exchange['peer'] {
  const said = (envelope ?? {}) as Record<string, unknown>;
  return {
    info: said['io.modelcontextprotocol/clientInfo'],
    capabilities: said['io.modelcontextprotocol/clientCapabilities'],
  } as Exchange['peer'];
}
