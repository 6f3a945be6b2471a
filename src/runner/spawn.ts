import { spawn } from 'node:child_process';
import { chmodSync, closeSync, fstatSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { runnerMark } from '../base/child-environment.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { Processes, ProcessIdentity, Spawner } from '../core/ports.js';
import { reportArguments } from './crash-report.js';

export interface SpawnerNeeds {
  processes: Processes;
  /** The bundled job-runner. */
  entry: string;
  /** Where what it and its agents print goes. */
  logFile: string;
  /** All that the child gets of the environment. */
  env: Readonly<Record<string, string>>;
  /** The child's heap limit in megabytes: a job that allocates without end ends itself, not the machine. */
  heapMb: number;
}

export function createSpawner({ processes, entry, logFile, env, heapMb }: SpawnerNeeds): Spawner {
  return {
    async spawnRunner(runnerId) {
      const log = openLog(logFile);
      try {
        const flags = [`--max-old-space-size=${heapMb}`, ...reportArguments(dirname(logFile), runnerId)];
        const child = spawn(process.execPath, [...flags, entry, runnerId], {
          // A group and session of its own, so that what ends the server's group passes it by.
          detached: true,
          stdio: ['ignore', log, log],
          windowsHide: true,
          cwd: dirname(logFile),
          env: { ...env, [runnerMark]: runnerId },
        });
        child.unref();
        await new Promise<void>((resolve, reject) => {
          child.once('spawn', resolve);
          child.once('error', reject);
        });
      } finally {
        closeSync(log);
      }
    },

    signalRunner: (identity, signal) => signalGroup(processes, identity, signal),
  };
}

/** Beyond this the log begins anew; the one before it is kept. */
const logLimitBytes = 10_000_000;

function openLog(path: string): number {
  makePrivateDirectory(dirname(path));
  const open = () => openSync(path, 'a', 0o600);
  const log = open();
  const { size, mode } = fstatSync(log);
  // Its mode counts only when it is made, and it may have been made by hand.
  if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
  if (size < logLimitBytes) return log;
  closeSync(log);
  renameSync(path, `${path}.1`);
  return open();
}

/** Only if it is still that very process: pids are reused. */
function signalGroup(processes: Processes, identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (identity.pid <= 1 || processes.liveness(identity) !== 'alive') return false;
  try {
    process.kill(process.platform === 'win32' ? identity.pid : -identity.pid, signal);
    return true;
  } catch {
    // It went between the look and the signal.
    return false;
  }
}
