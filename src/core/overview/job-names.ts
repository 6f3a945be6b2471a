import type { Json, JsonObject } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import { type Job, runGoal } from '../jobs/job.js';
import { relayStep } from '../relay/step-job.js';

/** What of a job its name is made of. */
export type JobToName = Pick<Job, 'id' | 'type' | 'payload' | 'taskId' | 'goalId'>;

const longestName = 160;

/**
 * What people call jobs, by id: the title of the task that a job works on, the step of its relay, the goal that it runs
 * or plans; else the first line of its prompt that says something, or the plain values of its payload.
 */
export async function nameJobs(sql: Sql, jobs: readonly JobToName[]): Promise<Map<string, string>> {
  const payloads = new Map(jobs.map((job) => [job.id, objectOf(job.payload)]));
  const values = (name: string) => [...payloads.values()].map((payload) => payload[name]);
  const numbers = (ids: readonly unknown[]) => ids.filter((id) => typeof id === 'number');
  const texts = (ids: readonly unknown[]) => ids.filter((id) => typeof id === 'string');
  const [titles, goals, relays, steps] = await Promise.all([
    readTexts(sql, 'tasks', 'title', numbers([...jobs.map(({ taskId }) => taskId), ...values('task_id')])),
    readTexts(sql, 'goals', 'name', numbers([...jobs.map(({ goalId }) => goalId), ...values('goal_id')])),
    readTexts(sql, 'relay_pipelines', 'name', texts(values('pipeline_id'))),
    readSteps(sql, texts(values('baton_id'))),
  ]);

  function nameOf({ id, type, taskId, goalId }: JobToName): string {
    const payload = payloads.get(id) ?? {};
    const task = titles.get(String(taskId ?? payload.task_id));
    const goal = goals.get(String(payload.goal_id ?? goalId));
    if (type === relayStep) {
      const step = steps.get(String(payload.baton_id));
      const relay = relays.get(String(payload.pipeline_id));
      return `${step === undefined ? 'A step' : `Step ${step + 1}`} of ${relay === undefined ? 'a relay' : `relay ${relay}`}`;
    }
    if (type === runGoal) return `Run of goal ${goal ?? payload.goal_id}`;
    if (type === 'decompose') return `Plan of ${task ?? goal ?? objectOf(payload.goal).name ?? 'a goal'}`;
    if (type === 'verify') return `Check of ${task ?? payload.title ?? 'a task'}`;
    if (task !== undefined) return task;
    if (typeof payload.prompt === 'string') return firstLine(payload.prompt) || type;
    return plainValues(payload) || type;
  }

  return new Map(jobs.map((job) => [job.id, cut(nameOf(job), longestName)]));
}

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

/** The marks of a heading, quotation, list or fence, and the words by which the prompts of this program begin. */
const opening = /^[\s#>*`~_=-]+/;
const ownWords = /^your task:\s*/i;

/** The first line of a text that says something. */
export function firstLine(text: string): string {
  for (const line of text.split('\n')) {
    const words = line.replace(opening, '').replace(ownWords, '').replaceAll(/\s+/g, ' ').trim();
    if (/[\p{L}\p{N}]/u.test(words)) return words;
  }
  return '';
}

function plainValues(payload: JsonObject): string {
  return Object.entries(payload)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** A column of text by id, for the ids that exist. */
export async function readTexts(
  sql: Sql,
  table: 'tasks' | 'goals' | 'relay_pipelines' | 'schedules',
  column: 'title' | 'name',
  ids: readonly (number | string)[],
): Promise<Map<string, string>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const rows = await sql.all<{ id: number | string; text: string }>(
    `select id, substr(${column}, 1, 240) as text from ${table} where id in (${wanted.map(() => '?').join(', ')})`,
    ...wanted,
  );
  return new Map(rows.map(({ id, text }) => [String(id), text]));
}

/** The steps of batons, counted from 0. */
async function readSteps(sql: Sql, batons: readonly string[]): Promise<Map<string, number>> {
  if (batons.length === 0) return new Map();
  const rows = await sql.all<{ id: string; step: number }>(
    `select id, step_index as step from relay_batons where id in (${batons.map(() => '?').join(', ')})`,
    ...batons,
  );
  return new Map(rows.map(({ id, step }) => [id, step]));
}
