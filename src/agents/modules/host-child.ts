import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';

export interface HostChildNeeds {
  /** Path of the bundled `agent-host`. */
  entry: string;
  /** Path of the module that it loads, in whose directory it runs. */
  module: string;
  /** What the host is told behind the path. */
  args?: readonly string[];
  /** The whole environment of the child process. */
  env: Readonly<Record<string, string>>;
  heapMb: number;
  /** Whether what the module prints is for this process's stderr. */
  isLoud?: boolean;
}

export interface HostChild {
  child: ChildProcess;
  /** The last that it has printed to stderr, to explain why it ended. */
  printed(): string;
}

const stderrLimit = 2_000;

/** Starts a process that loads a module of the user's. It does not keep this process alive. */
export function startHostChild({ entry, module, args = [], env, heapMb, isLoud = false }: HostChildNeeds): HostChild {
  // Its stdout is discarded, because this process's own stdout may be a protocol.
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, entry, module, ...args], {
    stdio: ['ignore', isLoud ? 2 : 'ignore', 'pipe', 'ipc'],
    cwd: dirname(module),
    env: { ...env },
    windowsHide: true,
  });
  let printed = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    if (isLoud) process.stderr.write(piece);
    printed = (printed + piece).slice(-stderrLimit);
  });
  child.unref();
  child.channel?.unref();
  (child.stderr as { unref?(): void } | null)?.unref?.();
  return { child, printed: () => printed.trim().slice(-500) };
}

/** How a process ended, in words. */
export const howEnded = (code: number | null, signal: string | null): string =>
  signal === null ? `with exit code ${code}` : `by ${signal}`;
