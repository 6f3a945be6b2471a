import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** The process that holds the write lock of a database. */
export interface LockHolder {
  pid: number;
  /** Its command line, cut. */
  command: string;
  /** By Ctrl-Z, SIGSTOP or a debugger: it keeps the lock until it goes on or ends. */
  isStopped: boolean;
}

/** The byte of the -shm file that a writer locks (sqlite.org/walformat.html, 2.3: WAL_WRITE_LOCK at offset 120). */
const writeLockByte = 120;
const commandLength = 120;

/**
 * Who holds the write lock at this moment, by /proc/locks (proc(5)): it names device and inode of each lock. Undefined if
 * nobody does, if it is a process of another container, and on systems other than Linux. Opens no file of the database.
 */
export function findLockHolder(file: string): LockHolder | undefined {
  try {
    const index = `${file}-shm`;
    const { dev, ino } = statSync(index);
    // The kernel hands its list out in pieces: a lock is passed over when one before it is let go meanwhile.
    const pids = [1, 2, 3].flatMap(() => writersOf(ino));
    // On some file systems the two device numbers differ; what a process has open decides then.
    const holder = pids.find(({ device }) => device === nameOf(dev)) ?? pids.find(({ pid }) => hasOpen(pid, index));
    return holder && describe(holder.pid);
  } catch {
    return undefined;
  }
}

function writersOf(inode: number): { pid: number; device: string }[] {
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .flatMap((line) => {
      // `1: POSIX  ADVISORY  WRITE 708 08:01:131 120 120`; a line with -> is of a process that waits.
      const [, pid, device, ino, from, to] =
        /^\d+: POSIX +\S+ +WRITE (\d+) (\w+:\w+):(\d+) (\d+) (\d+|EOF)$/.exec(line) ?? [];
      if (Number(ino) !== inode || Number(from) > writeLockByte) return [];
      return to === 'EOF' || Number(to) >= writeLockByte ? [{ pid: Number(pid), device: String(device) }] : [];
    });
}

/** Major and minor number as /proc/locks writes them: `08:01`. */
function nameOf(dev: number): string {
  const number = BigInt(dev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}

function hasOpen(pid: number, path: string): boolean {
  const real = realpathSync(path);
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => readlinkSync(`${directory}/${fd}`) === real);
}

/** proc(5): the command name in /proc/PID/stat stands in brackets and may hold any character. */
function describe(pid: number): LockHolder {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const command = [basename(program), ...words].join(' ').trim().slice(0, commandLength);
  return { pid, command, isStopped: state === 'T' || state === 't' };
}
