import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJson } from '../base/json.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { AttemptKey, Outcome } from '../core/jobs/outcome.js';

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
