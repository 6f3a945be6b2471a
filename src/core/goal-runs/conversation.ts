import { isObject, type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { JobRow } from '../jobs/job.js';
import { findJob } from '../jobs/read-jobs.js';
import type { Exchange } from '../ports.js';
import { jobPrompt } from './job-prompt.js';

/** What was said before a background prompt. */
export interface Conversation {
  /** Oldest first. */
  exchanges: Exchange[];
  /** The ids of the jobs that said it, newest first. */
  jobIds: string[];
  /** The session of the CLI that gave the last answer, and the provider that it belongs to. */
  session: { id: string; provider: string | null } | undefined;
}

/** Limits of what goes on: older exchanges are left out. */
const mostExchanges = 100;
const mostCharacters = 400_000;

/**
 * Reads a conversation back from the job that a prompt continues, through those that this one has continued. One that
 * was deleted meanwhile is where it begins. Throws `not_found` if the last one is gone.
 */
export async function readConversation(sql: Sql, lastId: string): Promise<Conversation> {
  const last = await findJob(sql, lastId);
  const found: Conversation = { exchanges: [], jobIds: [], session: sessionOf(last) };
  let characters = 0;
  for (let job: JobRow | undefined = last; job && found.exchanges.length < mostExchanges; ) {
    const payload: JsonObject = readJson<JsonObject>(job.payload);
    const { prompt } = await jobPrompt(sql, job.id, String(payload.prompt));
    const answer = job.output ?? '';
    characters += prompt.length + answer.length;
    if (characters > mostCharacters && found.exchanges.length > 0) break;
    found.exchanges.unshift({ prompt, answer });
    found.jobIds.push(job.id);
    const before: unknown = payload.continue_from;
    job = typeof before === 'string' ? await sql.get<JobRow>('select * from jobs where id = ?', before) : undefined;
  }
  return found;
}

function sessionOf({ result, requires }: JobRow): Conversation['session'] {
  const said = result === null ? undefined : readJson<unknown>(result);
  return isObject(said) && typeof said.session_id === 'string'
    ? { id: said.session_id, provider: requires }
    : undefined;
}
