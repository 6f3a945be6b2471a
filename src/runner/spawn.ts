import { spawn } from 'node:child_process';
import { chmodSync, closeSync, fstatSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { runnerMark } from '../base/child-environment.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { Processes, ProcessIdentity, Spawner } from '../core/ports.js';
import { prepareCrashReport, reportArguments } from './crash-report.js';

export interface SpawnerNeeds {
  processes: Processes;
  /** The bundled job-runner. */
  entry: string;
  /** Receives what the runner and its agents print. */
  logFile: string;
  /** The whole environment of the child. */
  env: Readonly<Record<string, string>>;
  /** The child's heap limit in megabytes, so that a job that allocates without end kills itself and not the machine. */
  heapMb: number;
}

/**
 * Of what is new in the heap, instead of 16 MB: a runner that carries calls has a sixth less memory by that, for somewhat
 * more work of the collector.
 */
const semiSpaceMb = 4;

export function createSpawner({ processes, entry, logFile, env, heapMb }: SpawnerNeeds): Spawner {
  return {
    async spawnRunner(runnerId) {
      prepareCrashReport(dirname(logFile), runnerId);
      const sizes = [`--max-old-space-size=${heapMb}`, `--max-semi-space-size=${semiSpaceMb}`];
      const flags = [...sizes, ...reportArguments(dirname(logFile), runnerId)];
      await spawnDetached([...flags, entry, runnerId], { logFile, env: { ...env, [runnerMark]: runnerId } });
    },

    signalRunner: (identity, signal) => signalGroup(processes, identity, signal),
  };
}

/**
 * Starts a Node of its own that outlives this process. Resolves when it has started.
 *
 * @param logFile receives what it prints; without one that can be written it works too
 */
export async function spawnDetached(
  args: readonly string[],
  { logFile, env }: Pick<SpawnerNeeds, 'logFile' | 'env'>,
): Promise<void> {
  const log = tryOpenLog(logFile);
  try {
    const child = spawn(process.execPath, args, {
      // In a group and session of its own, so that it survives the end of the server's group.
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
      cwd: dirname(logFile),
      env,
    });
    child.unref();
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } finally {
    if (log !== 'ignore') closeSync(log);
  }
}

/** A log beyond this size is renamed, and a new one started. One old log is kept. */
const logLimitBytes = 10_000_000;

/** Without a log a runner works too, on a disk that takes no file, say. */
function tryOpenLog(path: string): number | 'ignore' {
  try {
    return openLog(path);
  } catch {
    return 'ignore';
  }
}

function openLog(path: string): number {
  makePrivateDirectory(dirname(path));
  const open = () => openSync(path, 'a', 0o600);
  const log = open();
  const { size, mode } = fstatSync(log);
  // `open` sets the mode of a new file only, and the file may have been made by hand.
  if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
  if (size < logLimitBytes) return log;
  closeSync(log);
  renameSync(path, `${path}.1`);
  return open();
}

/** Signals the process group of an identity, if it is still the same process: pids are reused. */
function signalGroup(processes: Processes, identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (identity.pid <= 1 || processes.liveness(identity) !== 'alive') return false;
  try {
    process.kill(process.platform === 'win32' ? identity.pid : -identity.pid, signal);
    return true;
  } catch {
    // It ended between the check and the signal.
    return false;
  }
}
