import { mkdirSync } from 'node:fs';
import { loadDriver } from '../../src/store/sqlite/driver.js';
import { type Figure, withHome } from './protocol.js';
import { type Call, type MeasuredServer, startMeasured } from './server-process.js';
import { median } from './statistics.js';

const goals = 1_000;
const tasksOfGoal = 1_000;
const calls = 60;
const sessions = 5;

/** The board as a whole, with a million tasks in a thousand goals against a hundred tasks in twenty. */
export async function measureLargeBoard(): Promise<Figure[]> {
  return withHome((small) =>
    withHome(async (large) => {
      // As many goals as a page of them lists.
      await fillBoard(small, 20, 5);
      await fillBoard(large, goals, tasksOfGoal);
      const figures = [await measureFirstClaim(large)];
      const servers = [
        await startMeasured('dist/main.js', { HOME: small }),
        await startMeasured('dist/main.js', { HOME: large }),
      ] as const;
      const times = new Map<string, [number[], number[]]>();
      for (let call = 0; call < calls; call++) {
        for (const [place, server] of servers.entries()) {
          for (const [name, ask] of Object.entries(questions(server, place === 0 ? 20 : goals))) {
            const startedAt = performance.now();
            await ask(call);
            const found = times.get(name) ?? [[], []];
            found[place === 0 ? 0 : 1].push(performance.now() - startedAt);
            times.set(name, found);
          }
        }
      }
      for (const server of servers) await server.stop();
      for (const [name, [ofSmall, ofLarge]] of times) {
        figures.push({
          what: `${name} p50, board of 1,000,000 tasks against 100`,
          ours: `${median(ofLarge).toFixed(2)} ms`,
          reference: `${median(ofSmall).toFixed(2)} ms`,
          ratio: median(ofLarge) / median(ofSmall),
          aim: '<= 2.0',
        });
      }
      return figures;
    }),
  );
}

function questions(server: MeasuredServer, goalCount: number): Record<string, Call> {
  return {
    runtime_status: () => server.call('runtime_status', {}),
    list_goals: () => server.call('list_goals', { limit: 20 }),
    get_goal: (index) => server.call('get_goal', { goal_id: 1 + (index % goalCount) }),
  };
}

/** From the first call of a new session, which is a claim. */
async function measureFirstClaim(home: string): Promise<Figure> {
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
  const ours = `${median(times).toFixed(1)} ms`;
  return {
    what: 'the first claim of a session, board of 1,000,000 tasks',
    ours,
    reference: '',
    ratio: undefined,
    aim: '<= 20 ms',
  };
}

/** Of ten tasks six are done, one has failed, one is ready, and two wait for it. */
async function fillBoard(home: string, goalCount: number, size: number): Promise<void> {
  mkdirSync(`${home}/.claude`, { recursive: true, mode: 0o700 });
  const server = await startMeasured('dist/main.js', { HOME: home });
  await server.call('runtime_status', {});
  await server.stop();
  const { connect } = await loadDriver();
  const db = connect(`${home}/.claude/agent_runtime.db`);
  db.exec(`
    begin;
    insert into goals (name, description, created_at, updated_at)
      with recursive n (n) as (select 1 union all select n + 1 from n where n < ${goalCount})
      select 'Goal ' || n, 'A goal', 0, 0 from n;
    insert into tasks (goal_id, title, status, priority, unfinished_dependencies, created_at, updated_at, completed_at)
      with recursive n (n) as (select 0 union all select n + 1 from n where n < ${goalCount * size - 1})
      select 1 + n / ${size}, 'Task ' || n,
        case when n % 10 < 6 then 'completed' when n % 10 = 6 then 'failed' else 'pending' end,
        1 + n % 4, case when n % 10 > 7 then 1 else 0 end, n, n, case when n % 10 < 7 then n end from n;
    insert into task_dependencies (task_id, depends_on)
      select id, id - (id - 1) % 10 + 7 from tasks where unfinished_dependencies = 1;
    commit;`);
  db.close();
}
