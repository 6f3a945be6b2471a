import type { ChildProcess } from 'node:child_process';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import spawn from 'cross-spawn';
import { isObject } from '../../base/json.js';
import { CallFailure } from './call-failure.js';
import type { Launch } from './launch.js';
import { signalGroup, type Watchdog } from './watchdog.js';

/** The longest message that is read. A longer answer fails its own call, not the connection. */
export const longestMessageBytes = 16 * 1024 * 1024;

/** Codes of errors that this transport puts in place of an answer; JSON-RPC and MCP give them no meaning. */
export const tooLargeCode = 1_413;
export const malformedCode = 1_400;

const stderrBytes = 4_096;
/** Between closing its input, SIGTERM and SIGKILL. */
const graceMs = 1_000;
/** After its end, for the rest of what is in the pipes. */
const drainMs = 300;

export interface StdioTransportNeeds {
  launch: Extract<Launch, { kind: 'stdio' }>;
  watchdog: Watchdog;
  /** Called as soon as there is a process, before the first message is sent to it. */
  onStarted(pid: number): void;
}

/**
 * A server's process as a transport of the SDK. The SDK's own transport signals only the process that it started, but
 * most servers are started through npx or the like: here each has a process group of its own, ended as a whole.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  readonly #needs: StdioTransportNeeds;
  #child: ChildProcess | undefined;
  #hasEnded = false;
  #stderr = '';

  constructor(needs: StdioTransportNeeds) {
    this.#needs = needs;
  }

  /** Undefined before its start and after its end. */
  get pid(): number | undefined {
    return this.#hasEnded ? undefined : this.#child?.pid;
  }

  /** The last 4 KB that it wrote to stderr. */
  stderrTail(): string {
    return this.#stderr;
  }

  /** Rejects with the system's error (`ENOENT`, `EACCES`) if the process cannot be started. */
  start(): Promise<void> {
    const { launch, watchdog, onStarted } = this.#needs;
    const child = spawn(launch.command, [...launch.args], {
      // The whole environment of the child: nothing is inherited.
      env: { ...launch.env },
      ...(launch.cwd === undefined ? {} : { cwd: launch.cwd }),
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: 'pipe',
    });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) watchdog.guard(pid);
    this.#connect(child);
    return new Promise((resolve, reject) => {
      child.on('error', (error) => {
        this.#hasEnded = true;
        reject(error);
      });
      child.on('spawn', () => {
        if (pid !== undefined) onStarted(pid);
        resolve();
      });
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdin } = this.#child ?? {};
      if (this.#hasEnded || !stdin?.writable) {
        reject(new CallFailure('not_sent', 'the process had ended'));
        return;
      }
      // A line that was not written to its end cannot have been read as a message.
      stdin.write(`${JSON.stringify(message)}\n`, (error) =>
        error ? reject(new CallFailure('not_sent', 'the process ended before it took the call')) : resolve(),
      );
    });
  }

  /** Closes its input, and ends it by signals if that is not enough. */
  close(): Promise<void> {
    const child = this.#child;
    if (!child || this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const terminate = setTimeout(() => signalGroup(child.pid, 'SIGTERM'), graceMs);
      const kill = setTimeout(() => this.kill(), 2 * graceMs);
      child.on('close', () => {
        clearTimeout(terminate);
        clearTimeout(kill);
        resolve();
      });
      child.stdin?.end();
    });
  }

  /** Ends it and its whole group now. */
  kill(): void {
    if (!this.#hasEnded) signalGroup(this.#child?.pid, 'SIGKILL');
  }

  #connect(child: ChildProcess): void {
    const onError = (error: Error) => this.onerror?.(error);
    child.on('exit', () => this.#ended(child));
    child.on('close', () => this.onclose?.());
    child.stdin?.on('error', onError);
    child.stdout?.on('error', onError);
    child.stdout?.on(
      'data',
      createLineReader(longestMessageBytes, (line) => this.#receive(line)),
    );
    child.stderr?.on('data', (piece: Buffer) => {
      this.#stderr = (this.#stderr + piece.toString()).slice(-stderrBytes);
    });
  }

  #ended(child: ChildProcess): void {
    const { pid } = child;
    this.#hasEnded = true;
    // A child that a launcher leaves behind would keep the pipes, and so this connection, open.
    signalGroup(pid, 'SIGKILL');
    if (pid !== undefined) this.#needs.watchdog.release(pid);
    // A child in a group of its own survives that signal, so the pipes are closed after a moment in any case.
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, drainMs).unref();
  }

  #receive(line: ReadLine): void {
    if ('oversize' in line) {
      this.#fail(requestIdIn(line), tooLargeCode, { bytes: line.oversize });
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(line.text);
    } catch {
      this.onerror?.(new Error('A line on stdout is not JSON.'));
      return;
    }
    if (!isObject(message) || message.jsonrpc !== '2.0') {
      this.onerror?.(new Error('A line on stdout is JSON, but not a message.'));
    } else if (!('method' in message) && !isResponse(message)) {
      this.#fail(message.id, malformedCode);
    } else this.onmessage?.(message as JSONRPCMessage);
  }

  /** Answers a request with an error in place of an unusable answer: its caller would wait in vain otherwise. */
  #fail(id: unknown, code: number, data?: { bytes: number }): void {
    if (typeof id === 'number') this.onmessage?.({ jsonrpc: '2.0', id, error: { code, message: '', data } });
    else this.onerror?.(new Error('A message without a usable id was skipped.'));
  }
}

/** The SDK's client drops answers of any other form silently. */
function isResponse(message: Record<string, unknown>): boolean {
  if ('result' in message) return isObject(message.result);
  const { error } = message;
  return isObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string';
}

/** The id of the request that an oversize answer belongs to; servers write it first or last. */
function requestIdIn({ head, tail }: Oversize): number | undefined {
  const id = /"id"\s*:\s*(\d+)\s*[,}]/.exec(head.slice(0, 200))?.[1] ?? /"id"\s*:\s*(\d+)\s*\}\s*$/.exec(tail)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** A line that was too long to keep: its size in bytes and both of its ends. */
interface Oversize {
  oversize: number;
  head: string;
  tail: string;
}

export type ReadLine = { text: string } | Oversize;

/** How much of both ends of an oversize line is kept: enough to find the id of its request. */
const endBytes = 512;

/**
 * Splits a stream of bytes into lines. The pieces of a line are joined once, when it is complete: joining at each piece
 * would copy a result of some megabytes hundreds of times. A line over `limitBytes` is not held in memory.
 */
export function createLineReader(limitBytes: number, onLine: (line: ReadLine) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = [];
  let size = 0;
  let head: Buffer | undefined;

  function keep(piece: Buffer): void {
    size += piece.length;
    pieces.push(piece);
    if (size <= limitBytes && head === undefined) return;
    const held = Buffer.concat(pieces);
    head ??= held.subarray(0, endBytes);
    pieces = [Buffer.from(held.subarray(-endBytes))];
  }

  function end(): void {
    const held = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    if (head) onLine({ oversize: size, head: head.toString(), tail: held.toString() });
    else if (size > 0) onLine({ text: held.toString().replace(/\r$/, '') });
    pieces = [];
    size = 0;
    head = undefined;
  }

  return (piece) => {
    let from = 0;
    for (let to = piece.indexOf(10); to !== -1; to = piece.indexOf(10, from)) {
      if (to > from) keep(piece.subarray(from, to));
      end();
      from = to + 1;
    }
    if (from < piece.length) keep(piece.subarray(from));
  };
}
