import { statSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import type { Connection } from './connection.js';

/**
 * Switches the database to a write-ahead log, so that several processes can share it. A mode that is set already takes no
 * lock. Throws `unavailable` for a disk that has no shared memory for it: SQLite answers with the old mode there.
 */
export function useWal(connection: Connection, file: string): void {
  if (connection.pragma('journal_mode', { simple: true }) === 'wal') return;
  if (connection.pragma('journal_mode = wal', { simple: true }) === 'wal') return;
  throw new RuntimeError(
    'unavailable',
    `The disk of ${file} does not let several processes share a database (no write-ahead log).`,
    'Set AGENT_RUNTIME_DB_PATH to a file on a local disk.',
  );
}

/** Sixteen times the size at which SQLite checkpoints by itself. */
const longWalBytes = 64 * 1024 * 1024;
const writesBetweenChecks = 1_000;

/**
 * Keeps the write-ahead log short. A reader that stays open in another process stops SQLite from starting the log over,
 * and a long one slows every read and the last close. Call what it returns after each write of `writer`: it checks the
 * size once in a thousand calls, by a stat, which opens nothing, and truncates the log when it is too long.
 */
export function createWalCheckpointer(writer: Connection, file: string, log: Log): () => void {
  let writes = 0;
  return () => {
    writes++;
    if (writes % writesBetweenChecks === 0) checkpointLongWal(writer, file, log);
  };
}

/** The write before it has succeeded, so a failure is logged and not thrown. */
function checkpointLongWal(writer: Connection, file: string, log: Log): void {
  try {
    const bytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes <= longWalBytes) return;
    const isBusy = writer.pragma('wal_checkpoint(truncate)', { simple: true }) !== 0;
    if (isBusy) log.warn('the write-ahead log stays long while another process goes on reading', { file, bytes });
  } catch (error) {
    log.warn('the write-ahead log could not be truncated', { file, error });
  }
}
