import type { AgentContext } from '../agents/define-agent.js';
import type { Clock } from '../base/clock.js';
import type { Redact } from '../base/redact.js';
import type { Spending } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { Database, Sql } from '../store/sql.js';
import { saveArtifact } from './artifact.js';

export interface NotesNeeds {
  db: Database;
  clock: Clock;
  redact: Redact;
  dataDir: string;
}

const flushMs = 500;

/** What an agent says while it works, kept in memory and written twice a second. */
export function createNotes(job: JobRow, { db, clock, redact, dataDir }: NotesNeeds) {
  let output = '';
  let stored = 0;
  let chunk = 0;
  let mustRestart = false;
  let progress: { fraction: number; message: string | undefined } | undefined;
  const lines: { at: number; level: string; message: string; fields: string | null }[] = [];
  const warnings: string[] = [];
  const spent = { model: undefined as string | undefined, inputTokens: 0, outputTokens: 0 };
  let lastFlush: Promise<unknown> = Promise.resolve();
  const timer = setInterval(flush, flushMs);

  function flush(): void {
    if (stored === output.length && !mustRestart && !progress && lines.length === 0) return;
    const piece = output.slice(stored);
    const now = { restart: mustRestart, progress, lines: lines.splice(0) };
    stored = output.length;
    mustRestart = false;
    progress = undefined;
    const write = () => db.transaction((sql) => storeNotes(sql, job, { ...now, piece, chunk: chunk++ }, clock.now()));
    // A full disk or a long lock costs a piece of the partial view, never the result, which is kept here.
    lastFlush = lastFlush.then(write).catch(() => {});
  }

  return {
    context: (signal: AbortSignal): AgentContext => ({
      signal,
      dataDir,
      progress(fraction, message) {
        progress = { fraction: Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0)), message };
      },
      log(level, message, fields) {
        const text = fields ? redact(JSON.stringify(fields)) : null;
        lines.push({ at: clock.now(), level, message: redact(message), fields: text });
      },
      output(text) {
        output += text;
      },
      restartOutput() {
        output = '';
        stored = 0;
        mustRestart = true;
      },
      usage({ model, inputTokens, outputTokens }) {
        spent.model = model;
        spent.inputTokens += inputTokens;
        spent.outputTokens += outputTokens;
      },
      warn(message) {
        warnings.push(message);
      },
      saveArtifact: (name, data) => saveArtifact(db, job.id, { dataDir, name, data, at: clock.now() }),
    }),

    async close(): Promise<void> {
      clearInterval(timer);
      flush();
      await lastFlush;
    },

    spending: (): Spending => ({ ...spent, output, warnings }),
  };
}

interface Notes {
  restart: boolean;
  piece: string;
  chunk: number;
  progress: { fraction: number; message: string | undefined } | undefined;
  lines: { at: number; level: string; message: string; fields: string | null }[];
}

/** Fenced like every write of an attempt: a superseded one leaves no trace. */
async function storeNotes(sql: Sql, job: JobRow, notes: Notes, at: number): Promise<void> {
  const isCurrent = await sql.get('select 1 from jobs where id = ? and attempt_token = ?', job.id, job.attempt_token);
  if (!isCurrent) return;
  if (notes.restart) await sql.run('delete from job_chunks where job_id = ?', job.id);
  if (notes.piece !== '') {
    await sql.run('insert into job_chunks (job_id, seq, text) values (?, ?, ?)', job.id, notes.chunk, notes.piece);
  }
  if (notes.progress) {
    await sql.run(
      'update jobs set progress = ?, progress_message = ?, updated_at = ? where id = ?',
      notes.progress.fraction,
      notes.progress.message ?? null,
      at,
      job.id,
    );
  }
  for (const line of notes.lines) {
    await sql.run(
      'insert into job_logs (job_id, at, level, message, fields) values (?, ?, ?, ?, ?)',
      job.id,
      line.at,
      line.level,
      line.message,
      line.fields,
    );
  }
}
