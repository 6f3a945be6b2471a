import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Processes, ProcessIdentity } from '../core/ports.js';

/**
 * Processes as the operating system knows them. On Linux the start time detects a reused pid, and the pid namespace a pid
 * of another container. Elsewhere `ps` gives the start time to the second.
 *
 * @param hostId the host's own name, where its user has given it one
 */
export function systemProcesses(bootId: string, hostId = readHostId()): Processes {
  const pidNamespace = readPidNamespace();
  const own: ProcessIdentity = {
    hostId,
    bootId,
    pidNamespace,
    pid: process.pid,
    startTime: statusOf(process.pid)?.startTime ?? '',
  };

  return {
    self: () => own,
    liveness(identity) {
      if (identity.hostId !== hostId) return 'unknown';
      // Elsewhere the boot id is only a rounded guess, so the start time, which is a date there, decides.
      if (identity.bootId !== bootId && process.platform === 'linux') return 'dead';
      if (identity.pidNamespace !== pidNamespace) return 'unknown';
      const found = statusOf(identity.pid);
      return found && !found.isZombie && found.startTime === identity.startTime ? 'alive' : 'dead';
    },
  };
}

/** The start time of a process of this host, as in `ProcessIdentity`; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  return statusOf(pid)?.startTime;
}

interface ProcessStatus {
  startTime: string;
  /** Dead, but not yet collected by its parent. Signals to it still succeed. */
  isZombie: boolean;
}

function statusOf(pid: number): ProcessStatus | undefined {
  return process.platform === 'linux' ? statusFromProc(pid) : statusFromPs(pid);
}

/** proc(5): the command name stands in brackets and may hold any character, so fields are counted from its end on. */
function statusFromProc(pid: number): ProcessStatus | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Fields 3 (state) and 22 (start time) of the whole line.
    return { isZombie: fields[0] === 'Z' || fields[0] === 'X', startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function statusFromPs(pid: number): ProcessStatus | undefined {
  if (process.platform === 'win32') return isSignalable(pid) ? { startTime: '', isZombie: false } : undefined;
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...started] = line.split(/\s+/);
    return line === '' ? undefined : { isZombie: state.startsWith('Z'), startTime: started.join(' ') };
  } catch {
    return undefined;
  }
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readHostId(): string {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      return `${readFileSync(path, 'utf8').trim()}/${hostname()}`;
    } catch {
      // Not every system has one; the host name alone is the next best.
    }
  }
  return hostname();
}

function readPidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
