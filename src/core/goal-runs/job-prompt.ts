import { isObject, type Json, readJson } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import type { JobRow } from '../jobs/job.js';
import { findJob } from '../jobs/read-jobs.js';
import { findTask, type TaskRow } from '../tasks/task.js';
import { createMarker, cutText, type Material, materialRule, sharedResults, taskMaterial } from './prompt-material.js';
import { expectations } from './task-prompt.js';

/** A background prompt with what is known when it is sent. */
export interface JobPrompt {
  prompt: string;
  /** The task on the board that the job works on. */
  task: TaskRow | undefined;
}

/** Where a prompt wants the results of the tasks it depends on. */
const place = '{{results}}';

/** Error code of an attempt whose answer did not meet the acceptance criteria. */
export const notAccepted = 'not_accepted';

/**
 * The prompt of a background job as its model gets it: with the results of the jobs it depends on (where `{{results}}`
 * stands, or at its end), what is known of its task on the board, and why its earlier answers were not accepted. Throws
 * `not_found`.
 */
export async function jobPrompt(sql: Sql, jobId: string, prompt: string): Promise<JobPrompt> {
  const job = await findJob(sql, jobId);
  const task = job.task_id === null ? undefined : await findTask(sql, job.task_id);
  const marked = createMarker();
  const results = sharedResults(await jobResults(sql, job), marked);
  const isPlaced = results !== '' && prompt.includes(place);
  const parts = [isPlaced ? prompt.replaceAll(place, () => results) : prompt];
  if (results !== '' && !isPlaced) parts.push(`# Results of the background tasks before it\n\n${results}`);
  // The prompt of a run has all of this already.
  if (task && job.parent_id === null) {
    const { title, description } = task;
    const words = [
      `# The task on the board that this is for: ${title}`,
      prompt.includes(description) ? '' : description,
    ];
    parts.push(words.join('\n\n').trim(), ...expectations(task), ...(await taskMaterial(sql, task, marked)));
  }
  const reasons = await earlierReasons(sql, jobId);
  if (reasons.length > 0) {
    const shown = reasons.map((text) => marked({ name: 'reason', text: cutText(text, 4_000) }));
    parts.push(`# What was wrong with earlier answers, and must be better now\n\n${shown.join('\n\n')}`);
  }
  if (parts.length > 1 || isPlaced) parts.push(materialRule);
  return { prompt: parts.join('\n\n'), task };
}

/** The results of the jobs that it waited for, without that whose conversation it continues. */
async function jobResults(sql: Sql, { id: jobId, payload: given }: JobRow): Promise<Material[]> {
  const { continue_from: continued } = readJson<{ continue_from?: string }>(given);
  const rows = await sql.all<{ id: string; payload: string; output: string | null; result: string | null }>(
    `select j.id, j.payload, j.output, case when j.type in ('llm', 'run_goal') then null else j.result end as result
     from job_dependencies d join jobs j on j.id = d.depends_on where d.job_id = ? order by j.seq`,
    jobId,
  );
  return rows
    .filter(({ id }) => id !== continued)
    .map(({ id, payload, output, result }) => ({
      name: 'result',
      attributes: { task: id, about: aboutOf(readJson<Json>(payload)) },
      // What an agent returns says more than what it put out on its way.
      text: result === null || result === 'null' ? (output ?? '') : result,
    }));
}

/** The first words of a prompt, without what could be taken for markup. */
function aboutOf(payload: Json): string {
  const prompt = isObject(payload) && typeof payload.prompt === 'string' ? payload.prompt : '';
  return cut(
    prompt
      .slice(0, 500)
      .replaceAll(/[^\p{L}\p{N}.,:;?!'-]+/gu, ' ')
      .trim(),
    80,
  );
}

async function earlierReasons(sql: Sql, jobId: string): Promise<string[]> {
  const rows = await sql.all<{ error_message: string | null }>(
    `select error_message from job_attempts where job_id = ? and error_code = '${notAccepted}'
     order by attempt desc limit 3`,
    jobId,
  );
  return rows.reverse().map(({ error_message }) => error_message ?? '');
}
