import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { silentLog } from '../../src/base/log.js';
import { sumUpPeriods } from '../../src/core/overview/job-periods.js';
import { openDatabase } from '../../src/store/open.js';
import { loadDriver } from '../../src/store/sqlite/driver.js';
import { startDashboard } from './dashboard.js';
import { type Figure, withHome } from './protocol.js';
import { type Call, type MeasuredServer, startMeasured } from './server-process.js';
import { median } from './statistics.js';

interface Size {
  goals: number;
  tasksOfGoal: number;
  /** Spread over the last seven days. */
  jobs: number;
}

/** As many goals as a page of them lists. */
const small: Size = { goals: 20, tasksOfGoal: 5, jobs: 100 };
const large: Size = { goals: 1_000, tasksOfGoal: 1_000, jobs: 100_000 };
const calls = 40;
const sessions = 5;
const dayMs = 86_400_000;
const longestJobMs = 65_000;

/** The board as a whole, with a million tasks in a thousand goals and 100,000 jobs against a hundred of each. */
export async function measureLargeBoard(): Promise<Figure[]> {
  return withHome((ofSmall) =>
    withHome(async (ofLarge) => {
      await fillBoard(ofSmall, small);
      await fillBoard(ofLarge, large);
      const claims = [await timeFirstClaim(ofSmall), await timeFirstClaim(ofLarge)] as const;
      const boards = [await openBoard(ofSmall, small), await openBoard(ofLarge, large)] as const;
      const names = Object.keys(boards[0].asked);
      const times = names.map((name) => ({ name, small: [] as number[], large: [] as number[] }));
      for (let call = -3; call < calls; call++) {
        for (const { name, ...of } of times) {
          for (const [place, { asked }] of boards.entries()) {
            const startedAt = performance.now();
            await asked[name]?.(Math.abs(call));
            if (call >= 0) (place === 0 ? of.small : of.large).push(performance.now() - startedAt);
          }
        }
      }
      for (const { server, dashboard } of boards) {
        await server.stop();
        dashboard.kill('SIGTERM');
      }
      return [
        figure('the first claim of a session', claims[0], claims[1], '<= 20 ms'),
        ...times.map(({ name, small, large }) =>
          figure(name, median(small), median(large), name === weekOfTrends ? '<= 30 ms' : '<= 2.0'),
        ),
      ];
    }),
  );
}

function figure(what: string, ofSmall: number, ofLarge: number, aim: string): Figure {
  return {
    what: `${what} p50, 1,000,000 tasks and 100,000 jobs against 100 of each`,
    ours: `${ofLarge.toFixed(2)} ms`,
    reference: `${ofSmall.toFixed(2)} ms`,
    ratio: ofLarge / ofSmall,
    aim,
  };
}

const weekOfTrends = 'the page: trends over 7 days';

interface OpenBoard {
  server: MeasuredServer;
  dashboard: ChildProcess;
  /** What is timed, by what it is called. */
  asked: Record<string, Call>;
}

async function openBoard(home: string, { goals }: Size): Promise<OpenBoard> {
  const server = await startMeasured('dist/main.js', { HOME: home });
  const { child, url } = await startDashboard(home);
  const entered = await fetch(url, { redirect: 'manual' });
  const cookie = entered.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const read = async (name: string, input: object) => {
    const address = `/api/page/${name}?input=${encodeURIComponent(JSON.stringify(input))}`;
    const answer = await fetch(new URL(address, url), { headers: { cookie } });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  // In the eight whole days that the page shows of the last seven.
  const to = Math.ceil(Date.now() / dayMs) * dayMs;
  const week = { from: new Date(to - 8 * dayMs).toISOString(), to: new Date(to).toISOString(), stretches: 8 };
  return {
    server,
    dashboard: child,
    asked: {
      runtime_status: () => server.call('runtime_status', {}),
      list_goals: () => server.call('list_goals', { limit: 20 }),
      get_goal: (index) => server.call('get_goal', { goal_id: 1 + (index % goals) }),
      list_tasks: () => server.call('list_tasks', { limit: 20 }),
      get_metrics: () => server.call('get_metrics', {}),
      'the page: what needs a person': () => read('attention', {}),
      'the page: what goes on now': () => read('now', {}),
      'the page: the board': () => read('board', {}),
      'the page: goals': () => read('goals', {}),
      'the page: jobs': () => read('jobs', {}),
      [weekOfTrends]: () => read('trends', week),
    },
  };
}

/** From the first call of a new session, which is a claim. */
async function timeFirstClaim(home: string): Promise<number> {
  const times: number[] = [];
  for (let session = 0; session < sessions; session++) {
    const server = await startMeasured('dist/main.js', { HOME: home });
    // The database is open, and nothing else was asked.
    await server.call('get_workers', {});
    const startedAt = performance.now();
    await server.call('claim_next_task', {});
    times.push(performance.now() - startedAt);
    await server.stop();
  }
  return median(times);
}

/**
 * Of ten tasks six are done, one has failed, one is ready, and two wait for it. Of a hundred jobs the last is pending, five
 * failed, and half of the results are unread. Indexes and triggers are left out meanwhile, and the counts made at the end.
 */
async function fillBoard(home: string, { goals, tasksOfGoal: size, jobs }: Size): Promise<void> {
  mkdirSync(`${home}/.claude`, { recursive: true, mode: 0o700 });
  const server = await startMeasured('dist/main.js', { HOME: home });
  await server.call('runtime_status', {});
  await server.stop();
  const { connect } = await loadDriver();
  const file = `${home}/.claude/agent_runtime.db`;
  const db = connect(file);
  const parts = db
    .prepare(
      `select type, name, sql from sqlite_master where tbl_name in ('tasks', 'jobs') and sql is not null
         and (type = 'trigger' or type = 'index' and sql not like 'create unique%')`,
    )
    .all() as { type: string; name: string; sql: string }[];
  // None ends in the future.
  const first = Date.now() - 7 * dayMs - longestJobMs;
  db.exec(`
    begin;
    ${parts.map(({ type, name }) => `drop ${type} ${name};`).join('\n')}
    insert into goals (name, description, created_at, updated_at)
      with recursive n (n) as (select 1 union all select n + 1 from n where n < ${goals})
      select 'Goal ' || n, 'A goal', 0, 0 from n;
    insert into tasks (goal_id, title, status, priority, unfinished_dependencies, created_at, updated_at, completed_at)
      with recursive n (n) as (select 0 union all select n + 1 from n where n < ${goals * size - 1})
      select 1 + n / ${size}, 'Task ' || n,
        case when n % 10 < 6 then 'completed' when n % 10 = 6 then 'failed' else 'pending' end,
        1 + n % 4, case when n % 10 > 7 then 1 else 0 end, n, n, case when n % 10 < 7 then n end from n;
    insert into task_dependencies (task_id, depends_on)
      select id, id - (id - 1) % 10 + 7 from tasks where unfinished_dependencies = 1;
    insert into jobs (id, type, status, payload, run_at, timeout_seconds, max_attempts, attempt, input_tokens, output_tokens,
        read_at, created_at, updated_at, started_at, completed_at)
      with recursive n (n) as (select 0 union all select n + 1 from n where n < ${jobs - 1}),
        timed as (select n, ${first} + n * ${Math.floor((7 * dayMs) / jobs)} as at, 5000 + (n * 7919) % ${longestJobMs - 5000} as ms from n)
      select 'job-' || n, case n % 3 when 0 then 'llm' when 1 then 'command' else 'backtest' end,
        case when n % 100 = 99 then 'pending' when n % 20 = 0 then 'failed' else 'completed' end, '{"prompt":"Text"}',
        at + case when n % 100 = 99 then ${30 * dayMs} else 0 end, 60, 3, case when n % 100 = 99 then 0 else 1 end, 100, 50,
        case when n % 2 = 0 then at end, at, at, case when n % 100 <> 99 then at + 1000 end,
        case when n % 100 <> 99 then at + ms end from timed;
    ${parts.map(({ sql }) => `${sql};`).join('\n')}
    delete from task_counts;
    insert into task_counts (goal_id, project, state, count) select goal_id, project, state, count from counted_tasks;
    delete from job_counts;
    insert into job_counts (state, type, project, count) select state, type, project, count from counted_jobs;
    delete from job_periods;
    commit;`);
  db.close();
  // As the duty does it within five minutes.
  const opened = await openDatabase({ file, backupDir: home, log: silentLog, now: Date.now });
  await sumUpPeriods(opened, Date.now());
  await opened.close();
}
