import { RuntimeError } from '../base/errors.js';

/** Whether another process holds the lock that a statement needed. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

/** An error of SQLite in words that name the file and the way out; any other error as it is. */
export function explain(error: unknown, file: string): unknown {
  const explanation = explanations.find(([prefix]) => codeOf(error).startsWith(prefix));
  if (!explanation) return error;
  const [, message, hint] = explanation;
  return new RuntimeError('unavailable', `${message}: ${file} (${codeOf(error)})`, hint, { cause: error });
}

const elsewhere = 'Set AGENT_RUNTIME_DB_PATH to a file in a directory that you may write to.';
const damaged =
  'Nothing was changed. Keep the file with its -wal and -shm; restore the newest backup with `agent-runtime restore`, ' +
  'or recover rows with `sqlite3 FILE .recover`.';

const explanations: readonly [prefix: string, message: string, hint: string][] = [
  [
    'SQLITE_BUSY',
    'The database stayed locked by another process for 10 s',
    'Try again; `agent-runtime doctor` shows who has it open.',
  ],
  [
    'SQLITE_FULL',
    'The disk that holds the database is full; nothing was written',
    'Free some space and repeat the call.',
  ],
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
