import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { mainEntry } from '../support/paths.js';

export interface CliOptions {
  home: string;
  env?: Record<string, string>;
  /** The stdin of the command; empty by default. */
  stdin?: string;
  cwd?: string;
  /** Another build of the program. */
  entry?: string;
}

export interface CliEnd {
  code: number | null;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a document by asserting it.
  json(): any;
}

/** Runs the built program as a shell does, with a home of its own; resolves when it has ended. */
export function runCli(args: string[], options: CliOptions): Promise<CliEnd> {
  return startCli(args, options).ended;
}

export function startCli(args: string[], { home, env = {}, stdin = '', cwd = home, entry = mainEntry }: CliOptions) {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: { HOME: home, PATH: '/usr/bin:/bin', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) }));
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}
