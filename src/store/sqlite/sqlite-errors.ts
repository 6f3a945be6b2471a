import { messageOf, RuntimeError } from '../../base/errors.js';
import { findLockHolder, type LockHolder } from './lock-holder.js';

/** Whether another process holds the lock that a statement needed. PROTOCOL: the same, while the WAL is being opened. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|PROTOCOL)/.test(codeOf(error));
}

/** Whether the file itself is damaged. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** An error of SQLite as one that names the file and the remedy. Any other error is returned as it is. */
export function explain(error: unknown, file: string, waitedMs = 0): unknown {
  if (isBusy(error)) return stayedLocked(error, { file, waitedMs, holder: findLockHolder(file) });
  const explanation = explanations.find(([prefix]) => codeOf(error).startsWith(prefix));
  if (!explanation) return error;
  const [, message, hint] = explanation;
  return new RuntimeError('unavailable', `${message}: ${file} (${codeOf(error)})`, hint, { cause: error });
}

/** The error for a call after the database was closed. */
export function closedError(file: string): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `The database ${file} was closed, because this process is ending.`,
    'Nothing was written. Repeat the call when the process runs again.',
  );
}

/** The error for a call that finds another file, or none, at the path of the database that this process has open. */
export function fileChanged(
  how: 'gone' | 'replaced' | 'wal-left' | 'switched',
  { file, backup, cause }: { file: string; backup: string | undefined; cause?: unknown },
): RuntimeError {
  const restore = backup === undefined ? '' : ` To go back to the newest backup: agent-runtime restore "${backup}".`;
  const [what, next] = {
    gone: [
      'was moved or deleted while this process had it open',
      `Move it back with its -wal and -shm, and all goes on. backup_database still saves what was in it.${restore}`,
    ],
    'wal-left': [
      'was replaced by another file, but the -wal beside it still belongs to the earlier one and would damage it',
      `End all sessions, move ${file}-wal and ${file}-shm elsewhere, and put the right file in place once more.`,
    ],
    replaced: [
      `was replaced by a file that cannot be used (${cause === undefined ? 'it is being opened' : messageOf(cause)})`,
      `Put the right database in its place, with its -wal and -shm if it has them.${restore}`,
    ],
    switched: [
      'was replaced by another one, which this process uses from now on',
      'Look with runtime_status what is there, and repeat the call if it still makes sense.',
    ],
  }[how] as [string, string];
  return new RuntimeError('unavailable', `The database ${file} ${what}; nothing was written.`, next, { cause });
}

/** The error after a wait for the write lock. It names who holds the lock where the system can tell, as `name` if given. */
export function stayedLocked(
  error: unknown,
  { file, waitedMs, holder, name }: { file: string; waitedMs: number; holder?: LockHolder | undefined; name?: string },
): RuntimeError {
  const message = `The database stayed locked by another process for ${Math.round(waitedMs / 100) / 10} s: ${file} (${codeOf(error)})`;
  const again = 'Try again. `agent-runtime doctor` shows which processes have it open.';
  if (!holder) return new RuntimeError('unavailable', message, again, { cause: error });
  const { pid, isStopped, command } = holder;
  const who = `Process ${pid} (${name ?? command}) holds the lock${isStopped ? ' and is stopped' : ''}.`;
  return new RuntimeError('unavailable', `${message}. ${who}`, isStopped ? continueStopped(pid) : again, {
    cause: error,
  });
}

/** What to do about a stopped process that holds the write lock. */
export const continueStopped = (pid: number): string =>
  `Let it go on: kill -CONT ${pid} (or fg where it was stopped). If it is ended instead, its open change is undone.`;

const elsewhere = 'Set AGENT_RUNTIME_DB_PATH to a file in a directory that you may write to.';
const damaged =
  'Nothing was changed. Keep the file with its -wal and -shm; restore the newest backup with `agent-runtime restore`, ' +
  'or recover rows with `sqlite3 FILE .recover`.';
const full = 'The disk that holds the database is full; nothing was written';
const freeSpace = 'Free some space and repeat the call.';

/** The first prefix that matches is used. */
const explanations: readonly [prefix: string, message: string, hint: string][] = [
  ['SQLITE_FULL', full, freeSpace],
  // The shared-memory index of the WAL could not grow.
  ['SQLITE_IOERR_SHMSIZE', full, freeSpace],
  ['SQLITE_READONLY', 'The database cannot be written to', elsewhere],
  ['SQLITE_CANTOPEN', 'The database cannot be opened', elsewhere],
  ['SQLITE_PERM', 'The database may not be opened', elsewhere],
  ['SQLITE_NOTADB', 'The file is not an SQLite database', damaged],
  ['SQLITE_CORRUPT', 'The database is damaged', damaged],
  ['SQLITE_IOERR', 'The disk failed under the database', 'See the system log; `agent-runtime doctor` checks the file.'],
];

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
