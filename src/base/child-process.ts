import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

export interface ChildCommand {
  command: string;
  args: string[];
  /** The whole environment of the child: nothing is inherited. */
  env: Record<string, string>;
  cwd: string;
  /** Written to its stdin, which is then closed. */
  input: string;
  signal: AbortSignal;
  timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  /** How many bytes of stdout to keep. The rest is read and dropped. */
  stdoutLimit: number;
  /** Ends the child when its stdout is longer than `stdoutLimit`. */
  endsWhenCut?: boolean;
  /** Called with each piece of stdout that is kept. */
  onStdout?(text: string): void;
  /** Called with each piece of stderr. */
  onStderr?(text: string): void;
}

export interface ChildEnd {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signalName: string | null;
  stdout: string;
  /** stdout was longer than `stdoutLimit`. */
  isCut: boolean;
  /** The last 4,096 characters. */
  stderr: string;
  /** Why it ended: by itself, because the signal aborted, because `timeoutMs` passed, or because of `endsWhenCut`. */
  reason: 'itself' | 'cancelled' | 'timeout' | 'cut';
}

/**
 * Runs a child in a process group of its own and resolves when the child and its pipes are closed. When it is cancelled
 * or times out, that is after the whole group has ended, so that a caller may exit right after without an orphan.
 *
 * Rejects with the system's error when the child cannot be started (`ENOENT`, `EACCES`, `E2BIG`).
 */
export function runChild(child: ChildCommand): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const { command, args, env, cwd } = child;
    const running = spawn(command, args, { env, cwd, detached: hasGroups, windowsHide: true, stdio: 'pipe' });
    // Attached first: a child that cannot be started reports it by this event, and may have no streams.
    running.on('error', reject);
    if (running.pid === undefined) return;
    const ending = endOnDemand(running, child);
    const output = collectOutput(running, child, () => child.endsWhenCut && ending.end('cut'));
    running.on('close', (exitCode, signalName) => {
      ending.stop();
      resolve({ exitCode, signalName, ...output(), reason: ending.reason() });
    });
    // A child that ends before it has read everything closes the pipe. Its exit code says why.
    running.stdin.on('error', () => {});
    running.stdin.end(child.input);
  });
}

/** Windows has no process groups, so only the child itself is ended there. */
const hasGroups = process.platform !== 'win32';

/** How long processes that the child left behind may keep the pipes open after its end. */
const drainMs = 1000;

/** Characters of stderr that are kept, the last ones. */
const stderrLimit = 4096;

function collectOutput(
  running: ChildProcessWithoutNullStreams,
  { stdoutLimit, onStdout, onStderr }: ChildCommand,
  onCut: () => void,
) {
  let stdout = '';
  let stderr = '';
  let room = stdoutLimit;
  let isCut = false;
  running.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const kept = beginningOf(piece, room);
    room -= Buffer.byteLength(kept);
    if (kept.length < piece.length && !isCut) {
      isCut = true;
      onCut();
    }
    stdout += kept;
    if (kept !== '') onStdout?.(kept);
  });
  running.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr = (stderr + piece).slice(-stderrLimit);
    onStderr?.(piece);
  });
  return () => ({ stdout, stderr, isCut });
}

/** As many whole characters of a text as fit into `bytes`. */
function beginningOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}

function endOnDemand(running: ChildProcess, { signal, timeoutMs, graceMs }: ChildCommand) {
  let reason: ChildEnd['reason'] = 'itself';
  let hasExited = false;
  let force: NodeJS.Timeout | undefined;
  let drain: NodeJS.Timeout | undefined;

  const end = (why: Exclude<ChildEnd['reason'], 'itself'>) => {
    if (reason !== 'itself' || hasExited) return;
    reason = why;
    signalGroup(running, 'SIGTERM');
    force = setTimeout(() => signalGroup(running, 'SIGKILL'), graceMs);
  };
  const cancel = () => end('cancelled');
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const deadline = setTimeout(() => end('timeout'), timeoutMs);

  running.on('exit', () => {
    hasExited = true;
    clearTimeout(force);
    // A child that got SIGTERM had its chance to end its own children.
    if (reason !== 'itself') signalGroup(running, 'SIGKILL');
    drain = setTimeout(() => {
      signalGroup(running, 'SIGKILL');
      running.stdout?.destroy();
      running.stderr?.destroy();
    }, drainMs);
  });

  return {
    end,
    reason: () => reason,
    stop() {
      signal.removeEventListener('abort', cancel);
      for (const timer of [deadline, force, drain]) clearTimeout(timer);
    },
  };
}

/** A group keeps its number while any member lives, so the signal cannot reach an unrelated process. */
function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (hasGroups) process.kill(-child.pid, name);
    else child.kill(name);
  } catch {
    // The group is gone.
  }
}
