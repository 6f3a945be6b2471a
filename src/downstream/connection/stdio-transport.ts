import type { ChildProcess } from 'node:child_process';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import spawn from 'cross-spawn';
import { CallFailure } from './call-failure.js';
import { createLineReader, type ReadLine } from './line-reader.js';
import { signalGroup } from './signal-group.js';
import type { Watchdog } from './watchdog.js';

export interface StdioLaunch {
  command: string;
  args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string | undefined;
}

export interface StdioTransport extends Transport {
  /** Undefined until it has started, and when it has ended. */
  readonly pid: number | undefined;
  /** The end of what it has written to stderr. */
  stderrTail(): string;
  /** Ends it and all of its group now. */
  kill(): void;
}

/** The longest message that is taken in; a longer answer fails the call that it answers, not the connection. */
export const longestMessageBytes = 16 * 1024 * 1024;
const stderrBytes = 4_096;
/** Between the end of its input, SIGTERM and SIGKILL. */
const graceMs = 1_000;
/** For what is still in the pipes when it has ended. */
const drainMs = 300;

/**
 * A server's process as a transport of the SDK. The SDK's own signals only the process that it started, and most servers
 * are started through npx or the like: here each has a group of its own that is ended as a whole.
 */
export function createStdioTransport(launch: StdioLaunch, watchdog: Watchdog): StdioTransport {
  let child: ChildProcess | undefined;
  let hasEnded = false;
  let stderr = '';

  const transport: StdioTransport = {
    get pid() {
      return hasEnded ? undefined : child?.pid;
    },
    stderrTail: () => stderr,

    start: () =>
      new Promise((resolve, reject) => {
        const { command, args, env, cwd } = launch;
        const started = spawn(command, [...args], {
          env: { ...env },
          ...(cwd === undefined ? {} : { cwd }),
          detached: process.platform !== 'win32',
          windowsHide: true,
          stdio: 'pipe',
        });
        child = started;
        const { pid } = started;
        if (pid !== undefined) watchdog.guard(pid);
        started.on('error', (error) => {
          hasEnded = true;
          reject(error);
        });
        started.on('spawn', resolve);
        started.on('exit', () => {
          hasEnded = true;
          // What a launcher leaves behind would keep the pipes, and so this connection, open.
          signalGroup(pid, 'SIGKILL');
          if (pid !== undefined) watchdog.release(pid);
          // One that has made a group of its own may keep them open all the same.
          setTimeout(() => {
            started.stdout?.destroy();
            started.stderr?.destroy();
          }, drainMs).unref();
        });
        started.on('close', () => transport.onclose?.());
        started.stdin?.on('error', (error) => transport.onerror?.(error));
        started.stdout?.on('error', (error) => transport.onerror?.(error));
        started.stdout?.on('data', createLineReader(longestMessageBytes, receive));
        started.stderr?.on('data', (piece: Buffer) => {
          stderr = (stderr + piece.toString()).slice(-stderrBytes);
        });
      }),

    send: (message) =>
      new Promise((resolve, reject) => {
        const { stdin } = child ?? {};
        if (hasEnded || !stdin?.writable) {
          reject(new CallFailure('not_sent', 'the process had ended'));
          return;
        }
        // A line that was not written to its end cannot have been read as a message.
        stdin.write(`${JSON.stringify(message)}\n`, (error) =>
          error ? reject(new CallFailure('not_sent', 'the process ended before it took the call')) : resolve(),
        );
      }),

    close: () =>
      new Promise((resolve) => {
        if (!child || hasEnded) {
          resolve();
          return;
        }
        const terminate = setTimeout(() => signalGroup(child?.pid, 'SIGTERM'), graceMs);
        const kill = setTimeout(() => transport.kill(), 2 * graceMs);
        child.on('close', () => {
          clearTimeout(terminate);
          clearTimeout(kill);
          resolve();
        });
        child.stdin?.end();
      }),

    kill() {
      if (!hasEnded) signalGroup(child?.pid, 'SIGKILL');
    },
  };

  function receive(line: ReadLine): void {
    if ('oversize' in line) {
      answerFor(line);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(line.text);
    } catch {
      transport.onerror?.(new Error('A line on stdout is no JSON.'));
      return;
    }
    if (!isMessage(message)) transport.onerror?.(new Error('A line on stdout is JSON, but no message.'));
    else if (!('method' in message) && !isResponse(message)) refuse(message.id, malformedCode);
    else transport.onmessage?.(message as JSONRPCMessage);
  }

  /** What is no answer becomes an error for the one who waits for it, who would wait in vain otherwise. */
  function refuse(id: unknown, code: number, data?: { bytes: number }): void {
    if (typeof id === 'number') transport.onmessage?.({ jsonrpc: '2.0', id, error: { code, message: '', data } });
    else transport.onerror?.(new Error('A message was passed over.'));
  }

  function answerFor({ oversize, head, tail }: { oversize: number; head: string; tail: string }): void {
    const id = /"id"\s*:\s*(\d+)\s*[,}]/.exec(head.slice(0, 200))?.[1] ?? /"id"\s*:\s*(\d+)\s*\}\s*$/.exec(tail)?.[1];
    refuse(id === undefined ? undefined : Number(id), tooLargeCode, { bytes: oversize });
  }

  return transport;
}

/** Of no server's own: outside what JSON-RPC and MCP have given a meaning. */
export const tooLargeCode = 1_413;
export const malformedCode = 1_400;

function isMessage(value: unknown): value is { jsonrpc: '2.0'; id?: unknown } {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value && value.jsonrpc === '2.0';
}

/** Answers of another form are dropped by the SDK's client without a word to the one who waits. */
function isResponse(message: object): boolean {
  if ('result' in message) return typeof message.result === 'object' && message.result !== null;
  if (!('error' in message) || typeof message.error !== 'object' || message.error === null) return false;
  const { error } = message;
  return 'code' in error && Number.isSafeInteger(error.code) && 'message' in error && typeof error.message === 'string';
}
