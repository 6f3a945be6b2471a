import type { Json } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import { nameJobs, readTexts } from './job-names.js';

export const namedKinds = [
  'task',
  'goal',
  'job',
  'relay',
  'session',
  'worker',
  'person',
  'message',
  'schedule',
  'breaker',
  'server',
  'tool',
  'other',
] as const;
type NamedKind = (typeof namedKinds)[number];

/** What people call a thing or a caller. */
export interface Name {
  kind: NamedKind;
  /** By which it is found: a task's number, a job's id, the holder of a session, the thread of a message. */
  id: string;
  name: string;
}

/**
 * The names of things and callers by their references: `task:8`, `goal:3`, `job:ID`, `relay:ID`, and whatever a row has
 * as holder or actor (`session:ID`, `claude:ID`, `client:ID`, `loose:WORKER`, `user:NAME`, or the name of a worker).
 * What does not exist any more is named by its reference.
 */
export async function readNames(sql: Sql, references: Iterable<string>): Promise<Map<string, Name>> {
  const all = [...new Set(references)].map((reference) => {
    const [, kind = '', id = ''] = /^([a-z]+):(.+)$/s.exec(reference) ?? [];
    return { reference, kind, id };
  });
  const ids = (kind: string) => all.filter((one) => one.kind === kind).map(({ id }) => id);
  const [tasks, goals, relays, schedules, jobs, messages, sessions] = await Promise.all([
    readTexts(sql, 'tasks', 'title', ids('task').flatMap(toNumber)),
    readTexts(sql, 'goals', 'name', ids('goal').flatMap(toNumber)),
    readTexts(sql, 'relay_pipelines', 'name', ids('relay')),
    readTexts(sql, 'schedules', 'name', ids('schedule')),
    readJobNames(sql, ids('job')),
    readMessages(sql, ids('message').flatMap(toNumber)),
    nameSessions(
      sql,
      all.filter(({ kind }) => sessionKinds.has(kind)).map(({ reference }) => reference),
    ),
  ]);
  const known: Readonly<Record<string, ReadonlyMap<string, string>>> = {
    task: tasks,
    goal: goals,
    relay: relays,
    job: jobs,
  };

  function nameOf(reference: string, kind: string, id: string): Name {
    if (kind === 'task' || kind === 'goal' || kind === 'job' || kind === 'relay') {
      return { kind, id, name: known[kind]?.get(id) ?? `${kind} ${kind === 'job' ? id.slice(0, 8) : id}` };
    }
    if (sessionKinds.has(kind)) {
      return { kind: 'session', id: reference, name: sessions.get(reference) ?? formerSession(kind, id) };
    }
    if (kind === 'message') {
      const message = messages.get(id);
      return { kind, id: String(message?.thread ?? id), name: message?.subject ?? `message ${id}` };
    }
    if (kind === 'schedule') return { kind, id, name: schedules.get(id) ?? `schedule ${id}` };
    if (kind === 'breaker' || kind === 'server' || kind === 'tool') return { kind, id, name: id };
    if (kind === 'loose') return { kind: 'worker', id, name: id };
    if (kind === 'user') return { kind: 'person', id, name: id };
    return { kind: kind === '' ? 'worker' : 'other', id: reference, name: reference };
  }

  return new Map(all.map(({ reference, kind, id }) => [reference, nameOf(reference, kind, id)]));
}

const toNumber = (id: string): number[] => (/^\d{1,12}$/.test(id) ? [Number(id)] : []);

/** The kinds of holders that are conversations with a server process. */
const sessionKinds: ReadonlySet<string> = new Set(['session', 'claude', 'client']);

const formerSession = (kind: string, id: string): string =>
  kind === 'client' ? cut(id, 40) : `${kind === 'claude' ? 'Claude Code' : 'session'} ${id.slice(0, 6)}`;

async function readMessages(
  sql: Sql,
  ids: readonly number[],
): Promise<Map<string, { subject: string; thread: number | null }>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.all<{ id: number; subject: string; thread: number | null }>(
    `select id, subject, thread_id as thread from messages where id in (${ids.map(() => '?').join(', ')})`,
    ...ids,
  );
  return new Map(rows.map(({ id, ...message }) => [String(id), message]));
}

interface JobHead {
  id: string;
  type: string;
  payload: string;
  taskId: number | null;
  goalId: number | null;
}

/** So much of a payload has what a name is made of. */
const headOfPayload = 4_000;

async function readJobNames(sql: Sql, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.all<JobHead>(
    `select id, type, substr(payload, 1, ${headOfPayload}) as payload, task_id as "taskId", goal_id as "goalId"
     from jobs where id in (${ids.map(() => '?').join(', ')})`,
    ...ids,
  );
  return nameJobs(
    sql,
    rows.map((row) => ({ ...row, payload: readHead(row.payload) })),
  );
}

/** A payload whose end was cut off still has the beginning of its prompt. */
function readHead(text: string): Json {
  if (text.length < headOfPayload) return JSON.parse(text) as Json;
  const prompt = /"prompt":("(?:[^"\\]|\\.)*)/.exec(text)?.[1];
  if (prompt === undefined) return null;
  try {
    return { prompt: JSON.parse(`${prompt.replace(/\\u?[0-9a-f]{0,3}$/i, '')}"`) as string };
  } catch {
    return null;
  }
}

interface SessionToName {
  holder: string;
  client: string | null;
  project: string;
}

/** Client, project and worker of conversations, by holder: `Claude Code in shop, ada`. */
async function nameSessions(sql: Sql, holders: readonly string[]): Promise<Map<string, string>> {
  if (holders.length === 0) return new Map();
  const these = holders.map(() => '?').join(', ');
  const rows = await sql.all<SessionToName>(
    `select holder, client_name as client, project from sessions where holder in (${these}) order by started_at`,
    ...holders,
  );
  const slots = await sql.all<{ holder: string; worker: string }>(
    `select holder, worker_id as worker from worker_slots where is_named = 1 and holder in (${these}) order by slot`,
    ...holders,
  );
  const alike = await sql.all<{ client: string | null; project: string }>(
    `select client_name as client, project from sessions where ended_at is null
     group by client_name, project having count(distinct holder) > 1`,
  );
  return new Map(
    rows.map(({ holder, client, project }) => {
      const place = project.split(/[\\/]/).findLast((part) => part !== '');
      const names = slots.flatMap((slot) => (slot.holder === holder ? [slot.worker] : []));
      const isOneOfSeveral = alike.some((one) => one.client === client && one.project === project);
      // What tells it apart from another session of the same client in the same project.
      const mark = isOneOfSeveral && names.length === 0 ? [holder.slice(holder.indexOf(':') + 1).slice(0, 4)] : [];
      const who = `${clientName(client)}${place === undefined ? '' : ` in ${place}`}`;
      return [holder, cut([who, ...names, ...mark].join(', '), 160)];
    }),
  );
}

/** The names under which people know the clients that call themselves otherwise. */
const clientNames: Readonly<Record<string, string>> = {
  'claude-code': 'Claude Code',
  'claude-ai': 'Claude',
  'codex-mcp-client': 'Codex',
  'cursor-vscode': 'Cursor',
  'gemini-cli-mcp-client': 'Gemini CLI',
  library: 'A program',
};

const clientName = (client: string | null): string => (client === null ? 'A client' : (clientNames[client] ?? client));
