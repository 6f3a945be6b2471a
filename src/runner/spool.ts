import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { readJson } from '../base/json.js';
import type { AttemptKey, Outcome } from '../core/jobs/finish-job.js';

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
  const directories = [join(dataDir, 'spool'), join(tmpdir(), `agent-runtime-spool-${userInfo().username}`)];

  return {
    /** Resolves to the file. Throws when no directory takes it. */
    put({ jobId, token }: AttemptKey, outcome: Outcome): string {
      let failure: unknown;
      for (const directory of directories) {
        try {
          mkdirSync(directory, { recursive: true, mode: 0o700 });
          const path = join(directory, `${jobId}.json`);
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

    /** The outcome of an attempt, if one was left for it; removed once it is handed out. */
    async take(jobId: string, token: string): Promise<Outcome | undefined> {
      for (const directory of directories) {
        const path = join(directory, `${jobId}.json`);
        const spooled = readSpooled(path);
        if (!spooled) continue;
        rmSync(path, { force: true });
        if (spooled.token === token) return spooled.outcome;
      }
      return undefined;
    },
  };
}

function readSpooled(path: string): SpooledOutcome | undefined {
  try {
    return readJson<SpooledOutcome>(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
