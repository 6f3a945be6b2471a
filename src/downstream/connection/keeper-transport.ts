import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { messageOf } from '../../base/errors.js';
import { createLineReader, type ReadLine } from '../../base/line-reader.js';
import { systemCode } from '../../base/network-error.js';
import { CallFailure } from './call-failure.js';
import { makeSocketFolder } from './keeper-place.js';
import {
  type KeeperAccess,
  type KeeperView,
  type KeeperWord,
  type LastWord,
  lineOf,
  type Opening,
  wordOf,
} from './keeper-wire.js';
import { longestMessageBytes } from './stdio-transport.js';

/** An answer that was read under the limit may be longer as we write it. */
export const longestLineBytes = 2 * longestMessageBytes;

/** What connecting fails with where no keeper is, or where one is just ending, or has many callers at once. */
const nobodyThere = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAGAIN']);
const pauseMs = 50;
/** A keeper that is not there by then has a reason in its log. */
const keeperStartMs = 30_000;
/** For the last word. */
const graceMs = 1_000;

/** An instance that a keeper shares among sessions, as a transport of the SDK. The instance outlives it. */
export class KeeperTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  readonly #keeper: KeeperAccess;
  readonly #opening: Opening;
  #socket: Socket | undefined;
  #opened: { pid: number | undefined; keeper: number } | undefined;
  #ended: { exit: string | undefined; said: string } | undefined;
  /** Whether this side has ended it. */
  #isEnding = false;

  constructor(keeper: KeeperAccess, opening: Opening) {
    this.#keeper = keeper;
    this.#opening = opening;
  }

  /** Of the instance's process. */
  get pid(): number | undefined {
    return this.#ended ? undefined : this.#opened?.pid;
  }

  /** How it ended, in words; undefined while it runs, and after this side has ended it. */
  get exit(): string | undefined {
    return this.#isEnding ? undefined : this.#ended?.exit;
  }

  stderrTail(): string {
    return this.#ended?.said ?? '';
  }

  /** Starts the keeper if there is none. Rejects as the start of a process does, and with CallFailure `not_started`. */
  async start(): Promise<void> {
    await orNotStarted(() => makeSocketFolder(this.#keeper.socket));
    const giveUpAt = performance.now() + keeperStartMs;
    while (!(await this.#tryToOpen())) {
      const { socket, logFile } = this.#keeper;
      if (this.#isEnding || performance.now() > giveUpAt) {
        throw new CallFailure(
          'not_started',
          `the keeper of shared servers does not answer at ${socket}; see ${logFile}`,
        );
      }
      await orNotStarted(() => this.#keeper.summon());
      await sleep(pauseMs);
    }
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (this.#ended || !socket?.writable) {
        reject(new CallFailure('not_sent', 'the connection to its keeper had ended'));
        return;
      }
      socket.write(lineOf(message), (error) =>
        error ? reject(new CallFailure('not_sent', 'its keeper ended before it took the call')) : resolve(),
      );
    });
  }

  async close(): Promise<void> {
    this.#end({ leave: true });
  }

  /** Lets the keeper see for itself whether the instance works. */
  doubt(): void {
    this.#end({ suspect: true });
  }

  kill(): void {
    this.#isEnding = true;
    this.#socket?.destroy();
  }

  /** Resolves to whether a keeper has the instance for us. Rejects if it could not start it. */
  #tryToOpen(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#isEnding) {
        resolve(false);
        return;
      }
      const socket = connect(this.#keeper.socket);
      this.#socket = socket;
      socket.on('connect', () => socket.write(lineOf({ open: this.#opening })));
      socket.on('error', (error) => {
        const code = systemCode(error) ?? 'unknown';
        if (this.#opened) this.onerror?.(error);
        else if (!nobodyThere.has(code))
          reject(new CallFailure('not_started', `the keeper of shared servers cannot be reached (${code})`));
      });
      socket.on('close', () => {
        resolve(false);
        this.#closed();
      });
      const read = (line: ReadLine) => {
        const word = wordOf(line) as KeeperWord | JSONRPCMessage | undefined;
        if (!word) socket.destroy();
        else if ('jsonrpc' in word) this.onmessage?.(word);
        else if ('ended' in word) this.#ended = word.ended;
        else if ('failed' in word) reject(failureOf(word.failed));
        else if ('opened' in word) {
          this.#opened = word.opened;
          resolve(true);
        }
      };
      socket.on('data', createLineReader(longestLineBytes, read));
    });
  }

  #end(word: LastWord): void {
    this.#isEnding = true;
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    socket.end(lineOf(word), () => socket.destroy());
    // A keeper that has stopped reading does not take even this.
    setTimeout(() => socket.destroy(), graceMs).unref();
  }

  #closed(): void {
    if (!this.#opened) return;
    this.#ended ??= { exit: 'the keeper of shared servers has ended', said: '' };
    this.onclose?.();
  }
}

async function orNotStarted(step: () => void | Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    throw new CallFailure('not_started', messageOf(error), { cause: error });
  }
}

/** The system's error for its process, as if it had been started from here; else why the keeper started none. */
function failureOf({ code, message }: { code?: string | undefined; message: string }): Error {
  return code === undefined ? new CallFailure('not_started', message) : Object.assign(new Error(message), { code });
}

/** The keeper that listens there, with what it keeps; undefined if there is none. Starts none. */
export function lookAtKeeper(socket: string, timeoutMs = 1_000): Promise<KeeperView | undefined> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.setTimeout(timeoutMs, () => connection.destroy());
    connection.on('connect', () => connection.write(lineOf({ look: true })));
    connection.on('error', () => {});
    connection.on('close', () => resolve(undefined));
    const read = (line: ReadLine) => {
      const word = wordOf(line) as KeeperWord | undefined;
      resolve(word && 'here' in word ? word.here : undefined);
      connection.destroy();
    };
    connection.on('data', createLineReader(longestLineBytes, read));
  });
}
