import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { mainEntry } from '../support/paths.js';

/** From util-linux: runs a command in a new terminal, and prints what that shows. */
const script = '/usr/bin/script';
export const hasTerminal = process.platform === 'linux' && existsSync(script);

export interface TerminalOptions {
  home: string;
  env?: Record<string, string>;
  /** How wide the terminal is. */
  columns?: number;
  /** Called with all that is shown so far. */
  onShown?: (shown: string, child: { interrupt(): void; type(text: string): void }) => void;
}

/** What a command shows in a real terminal. */
export function inTerminal(
  args: readonly string[],
  { home, env = {}, columns = 100, onShown }: TerminalOptions,
): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, mainEntry, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(script, ['-qefc', `stty cols ${columns} rows 40; exec ${command}`, '/dev/null'], {
    env: { HOME: home, PATH: '/usr/bin:/bin', TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdin.on('error', () => {});
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString();
    const type = (text: string) => void child.stdin.write(text);
    // The terminal makes a signal of it, as of Ctrl-C.
    onShown?.(shown, { type, interrupt: () => type('\u0003') });
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, shown }));
  });
}

/** What a command leaves in a terminal, without colours, when it has ended. */
export async function textInTerminal(args: readonly string[], options: TerminalOptions): Promise<string> {
  const { code, shown } = await inTerminal(args, options);
  expect(code).toBe(0);
  return stripVTControlCharacters(shown).replaceAll('\r', '');
}
