import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { createLineReader, idIn, type ReadLine } from '../base/line-reader.js';
import { invalidRequest, isRequest, messageSchema } from './json-rpc.js';
import { refusal, refusalOf } from './refusal.js';

/** The longest message that is read, in bytes: the 1,000 tasks of a list with every text as long as it may be, in ASCII. */
export const longestMessageBytes = 128 * 1024 * 1024;

export interface StdioTransportOptions {
  input?: Readable;
  output?: Writable;
  longestBytes?: number;
}

/**
 * The client at stdin and stdout as a transport of the SDK (MCP spec 2025-11-25, transports, stdio). The SDK's own joins
 * what it has read at each piece, so that a long line costs the square of its length, closes itself for good at 10 MB,
 * and drops requests that are not well-formed. Here each of them is answered, and the next line is read.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  readonly #input: Readable;
  readonly #output: Writable;
  readonly #longestBytes: number;
  readonly #read: (piece: Buffer) => void;
  readonly #fail = (error: Error) => this.onerror?.(error);
  #hasStarted = false;
  #isClosed = false;

  constructor({
    input = process.stdin,
    output = process.stdout,
    longestBytes = longestMessageBytes,
  }: StdioTransportOptions = {}) {
    this.#input = input;
    this.#output = output;
    this.#longestBytes = longestBytes;
    this.#read = createLineReader(longestBytes, (line) => this.#receive(line));
  }

  /** A second call changes nothing: whoever reads the first message may hand the transport on. */
  async start(): Promise<void> {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#input.on('data', this.#read).on('error', this.#fail);
  }

  /** Resolves when the message has been handed on, or cannot be. Many may wait for a client that reads slowly. */
  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve) => void this.#output.write(`${JSON.stringify(message)}\n`, () => resolve()));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#input.off('data', this.#read).off('error', this.#fail);
    this.#input.pause();
    this.onclose?.();
  }

  #receive(line: ReadLine): void {
    if (this.#isClosed) return;
    if ('oversize' in line) this.#refuseOversize(line);
    else this.#receiveText(line.text);
  }

  #refuseOversize(line: Extract<ReadLine, { oversize: number }>): void {
    const problem = `A message of ${line.oversize} bytes was not read: at most ${this.#longestBytes} bytes are.`;
    const id = idIn(line);
    if (id === undefined) this.onerror?.(new Error(problem));
    else this.#answer(refusal(id, invalidRequest, `${problem} Nothing was done. Send it in several parts.`));
  }

  #receiveText(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      this.onerror?.(new Error('A line on stdin is not JSON.', { cause: error }));
      return;
    }
    if (isRequest(message)) {
      this.onmessage?.(message);
      return;
    }
    const { data, error } = messageSchema.safeParse(message);
    if (data) {
      this.onmessage?.(data);
      return;
    }
    const answer = refusalOf(message);
    if (answer) this.#answer(answer);
    else this.onerror?.(new Error('A line on stdin is no message of JSON-RPC.', { cause: error }));
  }

  #answer(message: JSONRPCMessage): void {
    this.send(message).catch(this.#fail);
  }
}
