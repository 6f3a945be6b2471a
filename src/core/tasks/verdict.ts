import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';

/** What a judge found when it held a result against the acceptance criteria of its task. */
export interface Verdict {
  /** From 0 to 1: how far the criteria are met. */
  score: number;
  /** Whether `score` reaches `passingScore`. */
  passed: boolean;
  /** What is missing, one criterion each. */
  missing: string[];
  /** The model that judged. */
  judge: string;
  at: EpochMs;
}

/** The score from which a result counts as done. */
export const passingScore = 0.8;

/** Reads the column of a task or a job. */
export const toVerdict = (column: string | null): Verdict | null =>
  column === null ? null : readJson<Verdict>(column);

/** Stores the verdict on a task's result, and records it in the task's history. */
export async function storeTaskVerdict(sql: Sql, taskId: number, verdict: Verdict, change: Change): Promise<void> {
  await sql.run('update tasks set verdict = ? where id = ?', JSON.stringify(verdict), taskId);
  const { score, passed, missing } = verdict;
  const data = { score, passed, missing };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: taskId, type: 'verified', data });
}
