import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson } from '../base/json.js';
import type { Log } from '../base/log.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { JobRow } from '../core/jobs/job.js';
import type { JobStore } from '../core/jobs/job-store.js';
import type { AttemptKey, Outcome } from '../core/jobs/outcome.js';

export interface PersistNeeds {
  jobs: Pick<JobStore, 'finish'>;
  spool: Spool;
  log: Log;
  /** How long to try; 60 s unless a test says otherwise. */
  patienceMs?: number;
}

/**
 * Writes the outcome of an attempt to the database; resolves to the job as it is then, or to nothing when another attempt
 * has superseded this one. While that takes none, the outcome is safe in a file from the first
 * failure on, whatever happens to this process: whoever finds its runner gone takes the file over. Throws when the
 * database stays unusable.
 */
export async function persistOutcome(
  key: AttemptKey,
  outcome: Outcome,
  needs: PersistNeeds,
): Promise<JobRow | undefined> {
  const { jobs, spool, patienceMs = 60_000 } = needs;
  const giveUpAt = performance.now() + patienceMs;
  let isSpooled = false;
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      const row = await jobs.finish(key, outcome);
      if (isSpooled) spool.forget(key);
      return row;
    } catch (error) {
      isSpooled ||= putAside(key, outcome, error, needs);
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(pauseMs);
  }
}

function putAside(key: AttemptKey, outcome: Outcome, error: unknown, { spool, log }: PersistNeeds): boolean {
  try {
    const path = spool.put(key, outcome);
    log.warn('the outcome could not be written to the database yet and was put aside', { path, error });
    return true;
  } catch (failure) {
    log.error('the outcome could neither be written to the database nor put aside', { error, failure });
    return false;
  }
}

interface SpooledOutcome {
  token: string;
  outcome: Outcome;
}

export type Spool = ReturnType<typeof createSpool>;

/**
 * Files for outcomes that could not be written to the database: what an answer cost is not to be lost to a full disk.
 * Each is private to its owner, and taken over by whoever finds its runner gone.
 */
export function createSpool(dataDir: string) {
  // The second is for when it is the data directory's own disk that is full.
  const directories = [join(dataDir, 'spool'), join(tmpdir(), `agent-runtime-spool-${process.getuid?.() ?? 'user'}`)];

  return {
    /** Resolves to the file. Throws when no directory takes it. */
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

    /** The outcome of an attempt, if one was left for it. It stays until `forget`: the database may still take none. */
    read({ jobId, token }: AttemptKey): Outcome | undefined {
      for (const directory of directories) {
        const spooled = readSpooled(fileIn(directory, jobId));
        if (spooled?.token === token) return spooled.outcome;
      }
      return undefined;
    },

    /** Removes what was left for a job, by this attempt or an earlier one. */
    forget({ jobId }: AttemptKey): void {
      for (const directory of directories) {
        for (const path of [fileIn(directory, jobId), `${fileIn(directory, jobId)}.part`]) remove(path);
      }
    },
  };
}

const fileIn = (directory: string, jobId: string): string => join(directory, `${jobId}.json`);

/** Anyone may have made a directory of this name in /tmp. */
function refuseForeign(directory: string): void {
  const { uid } = lstatSync(directory);
  if (process.getuid && uid !== process.getuid()) throw new Error(`${directory} belongs to another user.`);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its directory is none; or the file stays, of an attempt that is over.
  }
}

function readSpooled(path: string): SpooledOutcome | undefined {
  try {
    return readJson<SpooledOutcome>(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
