import type { AgentContext } from '../agents/define-agent.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Redact } from '../base/redact.js';
import { type AttemptNotes, type NewLogEntry, storeNotes } from '../core/jobs/attempts.js';
import type { JobRow } from '../core/jobs/job.js';
import type { AttemptKey, Spending } from '../core/jobs/outcome.js';
import type { Database } from '../store/sql.js';
import { saveArtifact } from './artifact.js';
import { readArtifacts, readDependencies } from './dependencies.js';

export interface NotesNeeds {
  db: Database;
  clock: Clock;
  redact: Redact;
  dataDir: string;
  log?: Log;
}

const flushMs = 500;

/** What an agent says while it works, kept in memory and written twice a second. */
export function createNotes(job: JobRow, { db, clock, redact, dataDir, log }: NotesNeeds) {
  const key: AttemptKey = { jobId: job.id, token: job.attempt_token ?? '' };
  let output = '';
  let stored = 0;
  let chunk = 0;
  let restarts = 0;
  let mustRestart = false;
  let progress: AttemptNotes['progress'];
  const logs: NewLogEntry[] = [];
  const warnings: string[] = [];
  const spent = { model: undefined as string | undefined, inputTokens: 0, outputTokens: 0 };
  let lastFlush: Promise<void> | undefined;
  const timer = setInterval(flush, flushMs);

  /** One write at a time, however long the database is locked; what comes meanwhile goes with the next. */
  function flush(): Promise<void> {
    lastFlush ??= store().finally(() => {
      lastFlush = undefined;
    });
    return lastFlush;
  }

  async function store(): Promise<void> {
    if (stored === output.length && !mustRestart && !progress && logs.length === 0) return;
    const now = { upTo: output.length, restarts, progress, logs: logs.length };
    const piece = output.slice(stored);
    const notes: AttemptNotes = { restart: mustRestart, piece, chunk: chunk++, progress, logs: logs.slice() };
    try {
      await db.transaction((sql) => storeNotes(sql, key, notes, clock.now()));
    } catch {
      // A full disk or a long lock delays the partial view; the next write takes this with it.
      return;
    }
    if (now.progress) {
      const { fraction: progress, message: progress_message } = now.progress;
      log?.debug('job_progress', { job_id: job.id, type: job.type, progress, progress_message });
    }
    logs.splice(0, now.logs);
    if (progress === now.progress) progress = undefined;
    if (restarts !== now.restarts) return;
    stored = now.upTo;
    mustRestart = false;
  }

  return {
    context: (signal: AbortSignal): AgentContext => ({
      signal,
      dataDir,
      progress(fraction, message) {
        const within = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
        progress = { fraction: within, message: message === undefined ? undefined : redact(message) };
      },
      log(level, message, fields) {
        const text = fields ? redact(JSON.stringify(fields)) : null;
        logs.push({ at: clock.now(), level, message: redact(message), fields: text });
      },
      output(text) {
        output += text;
      },
      restartOutput() {
        output = '';
        stored = 0;
        restarts++;
        mustRestart = true;
      },
      usage({ model, inputTokens, outputTokens }) {
        spent.model = model;
        spent.inputTokens += inputTokens;
        spent.outputTokens += outputTokens;
      },
      warn(message) {
        warnings.push(redact(message));
      },
      saveArtifact: (name, data) => saveArtifact(db, key, { dataDir, name, data, at: clock.now() }),
      artifacts: () => readArtifacts(db, job.id),
      dependencies: () => readDependencies(db, job.id),
    }),

    async close(): Promise<void> {
      clearInterval(timer);
      await lastFlush;
      await flush();
    },

    spending: (): Spending => ({ ...spent, output, warnings }),
  };
}
