import type pg from 'pg';

/** What was acknowledged to the users of a round. */
export class Books {
  /** Which session was told that it had completed a task, by the task's id. */
  readonly done = new Map<number, string>();
  /** Keys of jobs whose submission was acknowledged, and their ids. */
  readonly jobs = new Map<string, string>();
  /** How many calls were refused, by code. */
  readonly refused = new Map<string, number>();
  readonly problems: string[] = [];

  countRefusal(code: string, message: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    // What happened to hosts and lines has a name; anything else is a fault of ours.
    if (!expected.has(code)) this.problems.push(`A call was refused as ${code}: ${message}`);
  }

  completed(task: number, session: string): void {
    const other = this.done.get(task);
    if (other !== undefined) this.problems.push(`Task ${task} was completed for ${other} and for ${session}.`);
    this.done.set(task, session);
  }
}

const expected = new Set(['unavailable', 'stale_claim', 'already_claimed', 'conflict']);

/** How much of a round is done. */
export async function readProgress(client: pg.Client): Promise<{ tasks: number; jobs: number }> {
  const { rows } = await client.query(
    `select (select count(*)::int from tasks where status = 'completed') as tasks,
       (select count(*)::int from jobs where status = 'completed') as jobs`,
  );
  return rows[0];
}

/** Compares what was acknowledged with what is there. Resolves to what is wrong. */
export async function checkBooks(
  client: pg.Client,
  books: Books,
  wanted: { tasks: number; jobs: number },
): Promise<string[]> {
  const problems = [...books.problems];
  const expectCount = (what: string, count: number, right: number) => {
    if (count !== right) problems.push(`${what}: ${count}, not ${right}`);
  };
  const completions = async (subject: string) => {
    const { rows } = await client.query<{ id: string; count: number }>(
      "select subject_id as id, count(*)::int as count from events where subject = $1 and type = 'completed' group by subject_id",
      [subject],
    );
    for (const { id, count } of rows) expectCount(`completions of ${subject} ${id}`, count, 1);
    return rows.length;
  };
  expectCount('tasks completed', await completions('task'), wanted.tasks);
  expectCount('jobs completed', await completions('job'), wanted.jobs);
  const tasks = await client.query<{ id: string; status: string; result: string }>(
    'select id, status, result from tasks',
  );
  expectCount('tasks', tasks.rows.length, wanted.tasks);
  const results = new Map(tasks.rows.map(({ id, result }) => [Number(id), result]));
  for (const { id, status } of tasks.rows) if (status !== 'completed') problems.push(`Task ${id} is ${status}.`);
  for (const [task, session] of books.done) {
    const result = results.get(task);
    if (result !== `by ${session}`) problems.push(`Task ${task} was acknowledged to ${session}, and has: ${result}`);
  }
  const jobs = await client.query<{ id: string; status: string }>('select id, status from jobs');
  expectCount('jobs', jobs.rows.length, wanted.jobs);
  const known = new Set(jobs.rows.map(({ id }) => id));
  for (const { id, status } of jobs.rows) if (status !== 'completed') problems.push(`Job ${id} is ${status}.`);
  for (const [key, id] of books.jobs) if (!known.has(id)) problems.push(`Job ${id} (${key}) is lost.`);
  return problems;
}
