import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { mainEntry } from './paths.js';

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a message by asserting it.
export type Message = any;

export interface RawServer {
  process: ChildProcess;
  pid: number;
  /** Every line that the server has written to stdout. */
  lines: string[];
  stderr(): string;
  /** Writes one line as it is. */
  write(line: string): void;
  /** Sends a request and resolves to the reply with its id. */
  request(method: string, params?: unknown): Promise<Message>;
  notify(method: string, params?: unknown): void;
  /** The next message that fits, also one that has come already. */
  next(fits: (message: Message) => boolean): Promise<Message>;
  /** initialize and the notification after it; resolves to the reply. */
  initialize(capabilities?: Record<string, unknown>): Promise<Message>;
  /** Resolves when the process has ended, to how long after `since` (performance.now) that was. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; at: number }>;
}

export interface RawOptions {
  home: string;
  env?: Record<string, string>;
  args?: string[];
  command?: string;
  /** Where the client starts the server; its home, which is no project, unless given. */
  cwd?: string;
}

/** Starts the built server and speaks to it line by line, without any MCP library. */
export function startRawServer({
  home,
  env = {},
  args = [mainEntry],
  command = process.execPath,
  cwd = home,
}: RawOptions): RawServer {
  const child = spawn(command, args, { cwd, env: { HOME: home, PATH: '/usr/bin:/bin', ...env }, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const messages: Message[] = [];
  const waiting: { fits: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];
  let rest = '';
  let stderr = '';
  child.stdin.on('error', () => {});
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdout.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      accept(JSON.parse(line));
    }
  });

  function accept(message: Message): void {
    messages.push(message);
    for (const [index, waiter] of waiting.entries()) {
      if (!waiter.fits(message)) continue;
      waiting.splice(index, 1);
      waiter.resolve(message);
      return;
    }
  }

  let lastId = 0;
  const write = (line: string) => void child.stdin.write(`${line}\n`);
  const next = (fits: (message: Message) => boolean) =>
    new Promise<Message>((resolve) => {
      const known = messages.find(fits);
      if (known) resolve(known);
      else waiting.push({ fits, resolve });
    });

  function request(method: string, params: unknown = {}): Promise<Message> {
    const id = ++lastId;
    write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return next((message) => message.id === id && message.method === undefined);
  }
  const notify = (method: string, params: unknown = {}) => write(JSON.stringify({ jsonrpc: '2.0', method, params }));

  return {
    process: child,
    pid: child.pid ?? 0,
    lines,
    stderr: () => stderr,
    write,
    request,
    notify,
    next,
    async initialize(capabilities = {}) {
      const reply = await request('initialize', {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo: { name: 'raw', version: '1' },
      });
      notify('notifications/initialized');
      return reply;
    },
    ended: new Promise((resolve) =>
      child.on('exit', (code, signal) => resolve({ code, signal, at: performance.now() })),
    ),
  };
}
