import type { ChildProcess } from 'node:child_process';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import spawn from 'cross-spawn';
import { isObject } from '../../base/json.js';
import { createLineReader, idIn, type ReadLine } from '../../base/line-reader.js';
import { CallFailure } from './call-failure.js';
import type { Launch } from './launch.js';
import { signalGroup, type Watchdog } from './watchdog.js';

/** The longest message that is read. A longer answer fails its own call, not the connection. */
export const longestMessageBytes = 16 * 1024 * 1024;

/** Codes of errors that this transport puts in place of an answer; JSON-RPC and MCP give them no meaning. */
export const tooLargeCode = 1_413;
export const malformedCode = 1_400;
/** For a request that the process provably did not take. */
export const notSentCode = 1_404;

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
  #hasClosed = false;
  #exit: string | undefined;
  /** Whether it was asked to end. */
  #isEnding = false;
  /** Whether its input broke before it was asked to end: it has ended by itself, and the system has yet to say how. */
  #isBroken = false;
  #stderr = '';

  constructor(needs: StdioTransportNeeds) {
    this.#needs = needs;
  }

  /** Undefined before its start and after its end. */
  get pid(): number | undefined {
    return this.#hasEnded ? undefined : this.#child?.pid;
  }

  /** How it ended, in words; undefined while it runs, and after we have ended it. */
  get exit(): string | undefined {
    return this.#exit;
  }

  /** Resolves when it has ended and what it wrote is read; after a moment in any case. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#child || this.#hasClosed) resolve();
      else this.#child.once('close', () => resolve());
      setTimeout(resolve, graceMs).unref();
    });
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
      stdin.write(`${JSON.stringify(message)}\n`, (error) => {
        if (!error) return resolve();
        this.#isBroken ||= !this.#isEnding;
        reject(new CallFailure('not_sent', 'the process ended before it took the call'));
      });
    });
  }

  /** Closes its input, and ends it by signals if that is not enough. */
  close(): Promise<void> {
    const child = this.#child;
    if (!child || this.#hasEnded) return Promise.resolve();
    this.#isEnding = true;
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
    this.#isEnding = true;
    if (!this.#hasEnded) signalGroup(this.#child?.pid, 'SIGKILL');
  }

  #connect(child: ChildProcess): void {
    const onError = (error: Error) => this.onerror?.(error);
    child.on('exit', (code, signal) => {
      if (!this.#isEnding || this.#isBroken)
        this.#exit = signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
      this.#ended(child);
    });
    child.on('close', () => {
      this.#hasClosed = true;
      this.onclose?.();
    });
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
      this.#fail(idIn(line), tooLargeCode, { bytes: line.oversize });
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
