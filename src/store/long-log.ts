import { statSync } from 'node:fs';
import type { Log } from '../base/log.js';
import type { Connection } from './driver.js';

/** Sixteen times the length at which SQLite checkpoints by itself. */
const longLogBytes = 64 * 1024 * 1024;
const writesBetweenLooks = 1_000;

/**
 * Cuts the write-ahead log back when it has outgrown what SQLite keeps it at: a reader that stays open in another
 * process stops the log from starting over, and a long one slows every read and the last close. Returns what to call
 * after each write of `writer`; it looks once in a thousand, by stat, which opens nothing.
 */
export function keepLogShort(writer: Connection, file: string, log: Log): () => void {
  let writes = 0;
  return () => {
    writes++;
    if (writes % writesBetweenLooks === 0) cutBack(writer, file, log);
  };
}

/** What was written is written: a failure here is the log's to tell, not the caller's. */
function cutBack(writer: Connection, file: string, log: Log): void {
  try {
    const bytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes <= longLogBytes) return;
    const isBusy = writer.pragma('wal_checkpoint(truncate)', { simple: true }) !== 0;
    if (isBusy) log.warn('the write-ahead log stays long while another process goes on reading', { file, bytes });
  } catch (error) {
    log.warn('the write-ahead log could not be cut back', { file, error });
  }
}
