import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson } from '../base/json.js';
import type { Log } from '../base/log.js';
import { makePrivateDirectory } from '../base/private-files.js';
import { type EndedAttempt, isUnavailable } from '../core/jobs/finish-job.js';
import type { JobStore, Turn } from '../core/jobs/job-store.js';
import type { AttemptKey, Outcome } from '../core/jobs/outcome.js';
import type { Haste } from '../core/jobs/runners.js';

export interface PersistNeeds {
  jobs: Pick<JobStore, 'turn'>;
  spool: Spool;
  log: Log;
  /** How long to retry; 60 s unless a test says otherwise. */
  patienceMs?: number;
}

/**
 * Takes a runner's turn: writes the outcomes of its attempts to the database, and retries while that fails. From the first
 * failure on an outcome is safe in a file, whatever happens to this process: the process that rescues its job reads the
 * file. Throws when the database stays unusable.
 */
export async function persistTurn(
  runnerId: string,
  ended: readonly EndedAttempt[],
  room: number,
  needs: PersistNeeds,
  haste: Haste = {},
): Promise<Turn> {
  const { jobs, spool, log, patienceMs = 60_000 } = needs;
  const giveUpAt = performance.now() + patienceMs;
  const spooled = new Set<EndedAttempt>();
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      const turn = await jobs.turn(runnerId, ended, room, haste);
      for (const { key } of spooled) spool.forget(key);
      return turn;
    } catch (error) {
      if (ended.length === 0) {
        if (!isUnavailable(error)) throw error;
        log.warn('the queue could not be read', { error });
      }
      for (const attempt of ended) {
        if (!spooled.has(attempt) && spoolOutcome(attempt, error, needs)) spooled.add(attempt);
      }
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(pauseMs);
  }
}

function spoolOutcome({ key, outcome }: EndedAttempt, error: unknown, { spool, log }: PersistNeeds): boolean {
  try {
    const path = spool.put(key, outcome);
    log.warn('the outcome could not be written to the database yet and was saved to a file', { path, error });
    return true;
  } catch (failure) {
    log.error('the outcome could neither be written to the database nor saved to a file', { error, failure });
    return false;
  }
}

interface SpooledOutcome {
  token: string;
  outcome: Outcome;
}

export type Spool = ReturnType<typeof createSpool>;

/**
 * Files for outcomes that could not be written to the database, so that a full disk does not lose an answer that was paid
 * for. Each file is private to its owner, and read by the process that rescues the job.
 */
export function createSpool(dataDir: string) {
  // The second one is for a full disk of the data directory.
  const directories = [join(dataDir, 'spool'), join(tmpdir(), `agent-runtime-spool-${process.getuid?.() ?? 'user'}`)];

  return {
    /** Writes the file and returns its path. Throws when it can be written to no directory. */
    put({ jobId, token }: AttemptKey, outcome: Outcome): string {
      let failure: unknown;
      for (const directory of directories) {
        try {
          makePrivateDirectory(directory);
          refuseForeign(directory);
          const path = fileIn(directory, jobId);
          const content: SpooledOutcome = { token, outcome };
          writeFileSync(`${path}.part`, JSON.stringify(content), { mode: 0o600 });
          renameSync(`${path}.part`, path);
          return path;
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },

    /** The outcome of an attempt, if there is a file with it. The file stays until `forget`. */
    read({ jobId, token }: AttemptKey): Outcome | undefined {
      for (const directory of directories) {
        const spooled = readSpooled(directory, jobId);
        if (spooled?.token === token) return spooled.outcome;
      }
      return undefined;
    },

    /** Deletes the files of a job, of this attempt and of earlier ones. */
    forget({ jobId }: AttemptKey): void {
      for (const directory of directories) {
        for (const path of [fileIn(directory, jobId), `${fileIn(directory, jobId)}.part`]) remove(path);
      }
    },
  };
}

const fileIn = (directory: string, jobId: string): string => join(directory, `${jobId}.json`);

/** Throws for what is no directory of our own: anyone may have made one of this name in /tmp, or a link. */
function refuseForeign(directory: string): void {
  const stats = lstatSync(directory);
  if (!stats.isDirectory() || !isOwn(stats)) throw new Error(`${directory} is not a directory of this user.`);
}

const isOwn = ({ uid }: Stats): boolean => process.getuid === undefined || uid === process.getuid();

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The directory is missing, or the file cannot be deleted; it is of an attempt that is over.
  }
}

/** Reads regular files of this user alone, in a directory of this user: a FIFO of another would never end. */
function readSpooled(directory: string, jobId: string): SpooledOutcome | undefined {
  let file: number | undefined;
  try {
    refuseForeign(directory);
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    file = openSync(fileIn(directory, jobId), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(file);
    return stats.isFile() && isOwn(stats) ? readJson<SpooledOutcome>(readFileSync(file, 'utf8')) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
