import type { Connection } from '../../src/store/sqlite/connection.js';
import { connect } from '../support/sqlite.js';
import { problemsOfDatabase } from '../support/whole-database.js';
import type { Ledger } from './ledger.js';
import type { World } from './world.js';

/** Compares what the users were told with what is there: empty when the books are right. */
export async function checkBooks(world: Witness, ledger: Ledger): Promise<string[]> {
  const db = connect(world.database, { readonly: true });
  try {
    const books: Books = { db, world, ledger };
    return [
      ...ledger.problems,
      ...checks.flatMap((check) => check(books)),
      ...(await problemsOfDatabase(world.database)),
    ];
  } finally {
    db.close();
  }
}

/** What the world saw of the users' work, and the SQLite file with what is there of it. */
export type Witness = Pick<World, 'requests' | 'toolCalls'> & { database: string };

interface Books {
  db: Connection;
  world: Witness;
  ledger: Ledger;
}

const checks: readonly ((books: Books) => string[])[] = [
  tasks,
  claims,
  notes,
  goals,
  jobs,
  schedules,
  relays,
  toolCalls,
  budgets,
];

interface TaskLine {
  id: number;
  title: string;
  status: string;
  result: string | null;
  claim_token: number;
}

function tasks({ db, ledger }: Books): string[] {
  const rows = new Map(
    all<TaskLine>(db, 'select id, title, status, result, claim_token from tasks').map((row) => [row.id, row]),
  );
  const missing = [...ledger.tasks].flatMap(([id, title]) =>
    rows.get(id)?.title === title
      ? []
      : [`Task ${id} (${title}) was acknowledged, and there is ${rows.get(id)?.title}.`],
  );
  const undone = [...ledger.ends].flatMap(([id, { status, result, token }]) => {
    const row = rows.get(id);
    const isThere = row?.status === status && row.result === result && row.claim_token === token;
    return isThere ? [] : [`Task ${id} was acknowledged as ${status} (${result}, token ${token}); it is ${show(row)}.`];
  });
  const twice = all<{ id: string; ends: number }>(
    db,
    `select subject_id as id, count(*) as ends from events where subject = 'task' and type in ('completed', 'failed')
     group by subject_id having count(*) > 1 and not exists
       (select 1 from events r where r.subject = 'task' and r.subject_id = events.subject_id and r.type = 'reopened')`,
  ).map(({ id, ends }) => `Task ${id} was ended ${ends} times.`);
  return [...missing, ...undone, ...twice];
}

/** Between two claims of a task the first of them must have ended. */
function claims({ db, ledger }: Books): string[] {
  const events = all<{ id: string; type: string; token: number }>(
    db,
    "select subject_id as id, type, data ->> 'claim_token' as token from events where subject = 'task' order by id",
  );
  const isClaimed = new Set<string>();
  const problems: string[] = [];
  for (const { id, type, token } of events) {
    if (type === 'claimed') {
      if (isClaimed.has(id)) problems.push(`Task ${id} was claimed with token ${token} while it was claimed.`);
      isClaimed.add(id);
    } else if (['released', 'lapsed', 'completed', 'failed', 'cancelled', 'skipped'].includes(type))
      isClaimed.delete(id);
  }
  const given = new Set(
    events.filter(({ type }) => type === 'claimed').map(({ id, token }) => `${id} with token ${token}`),
  );
  return [
    ...problems,
    ...[...ledger.claims.keys()]
      .filter((claim) => !given.has(claim))
      .map((claim) => `No claim on ${claim} is on record.`),
  ];
}

function notes({ db, ledger }: Books): string[] {
  const stored = new Set(
    all<{ id: string; note: string }>(
      db,
      "select subject_id as id, data ->> 'note' as note from events where subject = 'task' and type = 'note'",
    ).map(({ id, note }) => `${id} ${note}`),
  );
  return ledger.notes
    .filter(({ task, note }) => !stored.has(`${task} ${note}`))
    .map(({ task, note }) => `Task ${task} lost ${note}.`);
}

function goals({ db, ledger }: Books): string[] {
  const names = new Map(
    all<{ id: number; name: string }>(db, 'select id, name from goals').map((row) => [row.id, row.name]),
  );
  return [...ledger.goals].filter(([id, name]) => names.get(id) !== name).map(([id]) => `Goal ${id} is lost.`);
}

interface JobLine {
  id: string;
  type: string;
  status: string;
  output: string | null;
  result: string | null;
  attempt: number;
  payload: string;
}

function jobs({ db, world, ledger }: Books): string[] {
  const rows = new Map(
    all<JobLine>(db, 'select id, type, status, output, result, attempt, payload from jobs').map((row) => [row.id, row]),
  );
  const open = [...rows.values()].filter(({ status }) => status === 'pending' || status === 'running');
  const lost = [...ledger.jobs.keys()].filter((id) => !rows.has(id)).map((id) => `Job ${id} is lost.`);
  const wrong = [...ledger.jobs].flatMap(([id, answer]) => {
    const row = rows.get(id);
    if (row?.status !== 'completed' || answer === undefined || row.output === answer) return [];
    return [`Job ${id} should have answered ${answer}, and answered ${row.output}.`];
  });
  const changed = [...ledger.results].flatMap(([id, result]) =>
    result === (rows.get(id)?.output ?? rows.get(id)?.result ?? '')
      ? []
      : [`The result of job ${id} was ${result} and is ${show(rows.get(id))}.`],
  );
  const uncancelled = [...ledger.cancelled].flatMap((id) => {
    const status = rows.get(id)?.status;
    return status === undefined || status === 'pending' || status === 'running'
      ? [`Job ${id} was cancelled and is ${status}.`]
      : [];
  });
  return [
    ...open.map(({ id, type, status }) => `Job ${id} (${type}) is still ${status}.`),
    ...lost,
    ...wrong,
    ...changed,
    ...uncancelled,
    ...asked({ world, rows }),
  ];
}

/** A call of the vendor is paid: there may be no more of them than attempts. */
function asked({ world, rows }: { world: Witness; rows: Map<string, JobLine> }): string[] {
  const markOf = (text: string) => /Do <([\w.-]+)>/.exec(text)?.[1];
  const counts = new Map<string, number>();
  for (const { prompt } of world.requests) {
    const mark = markOf(prompt);
    if (mark !== undefined) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  }
  return [...rows.values()].flatMap(({ id, type, payload, attempt }) => {
    const mark = type === 'llm' ? markOf(payload) : undefined;
    const calls = mark === undefined ? 0 : (counts.get(mark) ?? 0);
    return calls > attempt ? [`Job ${id} (${mark}) asked its model ${calls} times in ${attempt} attempts.`] : [];
  });
}

/** Each time fires once and makes one job, whoever was there to fire it. */
function schedules({ db, ledger }: Books): string[] {
  const fired = all<{ name: string; due: string; run: string; times: number; made: string | null }>(
    db,
    `select data ->> 'name' as name, data ->> 'due_at' as due, max(data ->> 'run') as run, count(*) as times,
       max(j.id) as made
     from events e left join jobs j on j.id = data ->> 'run'
     where e.subject = 'schedule' and e.type = 'fired' group by 1, 2`,
  );
  const timesOf = new Map<string, number>();
  for (const { name, times } of fired) timesOf.set(name, (timesOf.get(name) ?? 0) + times);
  const jobsOf = all<{ name: string; count: number }>(
    db,
    "select metadata ->> 'schedule' as name, count(*) as count from jobs where metadata ->> 'schedule' is not null group by 1",
  );
  const answers = new Map(
    all<{ id: string; answer: string | null }>(
      db,
      "select id, output as answer from jobs where status = 'completed'",
    ).map(({ id, answer }) => [id, answer]),
  );
  return [
    ...fired.flatMap(({ name, due, times }) =>
      times > 1 ? [`Schedule ${name} has fired ${times} times for ${due}.`] : [],
    ),
    ...fired.flatMap(({ name, due, run, made }) =>
      made === null ? [`The job ${run} of schedule ${name} for ${due} is lost.`] : [],
    ),
    ...jobsOf.flatMap(({ name, count }) =>
      count === timesOf.get(name)
        ? []
        : [`Schedule ${name} has made ${count} jobs and fired ${timesOf.get(name)} times.`],
    ),
    ...[...ledger.timers].flatMap(([name, answer]) => {
      const [once] = fired.filter((one) => one.name === name);
      if (!once) return [`Schedule ${name} has not fired.`];
      const said = answers.get(once.run);
      return said === undefined || said === answer
        ? []
        : [`Schedule ${name} should have had ${answer}, and had ${said}.`];
    }),
  ];
}

function relays({ db, ledger }: Books): string[] {
  const ids = new Set(all<{ id: string }>(db, 'select id from relay_pipelines').map(({ id }) => id));
  const passed = new Map(
    all<{ id: string; times: number }>(
      db,
      "select baton_id as id, count(*) as times from relay_results where status = 'passed' group by baton_id",
    ).map(({ id, times }) => [id, times]),
  );
  const tooOften = [...passed]
    .filter(([, times]) => times > 1)
    .map(([id, times]) => `Baton ${id} was passed ${times} times.`);
  return [
    ...[...ledger.relays].filter((id) => !ids.has(id)).map((id) => `Relay ${id} is lost.`),
    ...[...ledger.batons.keys()].filter((id) => !passed.has(id)).map((id) => `The output for baton ${id} is lost.`),
    ...tooOften,
  ];
}

/** A call that must not run twice runs once if it was answered, and at most once if not. */
function toolCalls({ world, ledger }: Books): string[] {
  const counts = new Map<string, number>();
  for (const line of world.toolCalls()) {
    const [, tool, mark] = line.split(' ');
    if (tool === 'add' && mark !== undefined) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  }
  return [...ledger.sent].flatMap((mark) => {
    const times = counts.get(mark) ?? 0;
    if (times > 1) return [`The tool call ${mark} was carried out ${times} times.`];
    return times === 0 && ledger.answered.has(mark) ? [`The tool call ${mark} was answered and not carried out.`] : [];
  });
}

function budgets({ db }: Books): string[] {
  const passed = all<{ account: string; cap: number; spent: number }>(
    db,
    'select account, cap, spent from budgets where cap is not null and spent > cap',
  ).map(({ account, cap, spent }) => `The budget of ${account} is ${cap}, and ${spent} tokens were spent.`);
  const unlike = all<{ account: string; spent: number; used: number }>(
    db,
    `select account, spent, used from (select account, spent,
       (select coalesce(sum(input_tokens + output_tokens), 0) from job_attempts where 'job:' || job_id = account) as used
     from budgets where account like 'job:%') where spent <> used`,
  ).map(({ account, spent, used }) => `The ledger of ${account} has ${spent} tokens, its attempts ${used}.`);
  const left = all<{ holder: string }>(db, 'select holder from budget_reservations').map(
    ({ holder }) => `Tokens are still reserved for ${holder}.`,
  );
  return [...passed, ...unlike, ...left];
}

const all = <Row>(db: Connection, query: string): Row[] => db.prepare(query).all() as Row[];

const show = (row: object | undefined): string => JSON.stringify(row ?? null).slice(0, 300);
