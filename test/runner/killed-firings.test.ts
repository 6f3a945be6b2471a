import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRandom, type Random } from '../../src/agents/ml-experiment/random.js';
import { readJson } from '../../src/base/json.js';
import { hasEnded } from '../../src/core/jobs/job.js';
import type { ScheduleRequest } from '../../src/services/schedules.js';
import { startCli } from '../cli/run-cli.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { databaseEnv } from '../support/postgres.js';
import { type Background, background, scripted, session } from './fixtures/background.js';

/** How many processes are killed; each from a seed of its own, a runner, a worker, a server in turn. More of it: KILLS=200. */
const kills = Number(process.env.KILLS ?? 3);
const seed = Number(process.env.SEED ?? 1);

const minuteMs = 60_000;
const missedMinutes = 5;
const kinds = ['runner', 'worker', 'server'] as const;

it(`each time of a schedule fires once, whichever process is killed while it does, ${kills} times`, {
  timeout: 60_000 + kills * 30_000,
}, async () => {
  const world = await firers();
  for (let ofSeed = seed; ofSeed < seed + kills; ofSeed++) await killOnce(world, ofSeed);
  for (const table of ['job_chunks', 'budget_reservations', 'breaker_permits']) {
    expect(await world.db.all(`select * from ${table}`)).toEqual([]);
  }
  expect(await world.db.check()).toBeUndefined();
});

type Firers = Background & {
  /** Starts the worker and the server that are not there. */
  keep(): Promise<void>;
  kill(kind: (typeof kinds)[number], random: Random): Promise<void>;
};

/** A home in which a worker and a server live, which fire schedules beside the runners. */
async function firers(): Promise<Firers> {
  const runtime = await background();
  const { home, db, server } = runtime;
  const env = {
    ANTHROPIC_API_KEY: 'sk-ant-test-key-0001',
    ANTHROPIC_BASE_URL: server.url,
    ...(await databaseEnv(home)),
  };
  const living = new Map<'worker' | 'server', ReturnType<typeof startCli>>();
  const keepOne = async (kind: 'worker' | 'server') => {
    if (living.has(kind)) return;
    const args = kind === 'worker' ? ['worker'] : ['serve', '--http', '--port', String(await freePort())];
    const cli = startCli(args, { home, env });
    living.set(kind, cli);
    const table = kind === 'worker' ? 'queue_workers' : 'http_servers';
    await eventually(`the ${kind} is there`, () => db.get(`select 1 from ${table} where pid = ?`, cli.child.pid ?? 0));
  };
  return Object.assign(runtime, {
    keep: async () => void (await Promise.all([keepOne('worker'), keepOne('server')])),
    async kill(kind: (typeof kinds)[number], random: Random) {
      if (kind === 'runner') {
        const rows = await eventually('a runner lives', async () => {
          const found = await db.all<{ pid: number }>(
            'select pid from runners where ended_at is null and pid is not null order by created_at, id',
          );
          return found.length > 0 && found;
        });
        killProcess(rows[Math.floor(random() * rows.length)]?.pid);
      } else {
        const cli = living.get(kind);
        living.delete(kind);
        killProcess(cli?.child.pid);
        await cli?.ended;
      }
    },
  });
}

function killProcess(pid = 0): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function killOnce(world: Firers, ofSeed: number): Promise<void> {
  const random = createRandom(ofSeed);
  await world.keep();
  const calls = await Promise.all(
    [0, 1, 2, 3].map((number) => world.ask(scripted({ pieces: ['a', 'b', 'c'], delayMs: 300 }, `${ofSeed}.${number}`))),
  );
  const now = Date.now();
  const minute = now - (now % minuteMs);
  const make = (name: string, more: Partial<ScheduleRequest>) => {
    const request = { task_description: scripted({ pieces: [`${ofSeed}.`, name], delayMs: 100 }), max_attempts: 5 };
    const schedule = { name: `${ofSeed}.${name}`, kind: 'prompt' as const, request, timezone: 'UTC' };
    return world.scheduler.save({ ...schedule, overlap: 'allow', ...more }, session);
  };
  const onceAt = new Map<string, number>();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const runAt = now + 300 + Math.floor(random() * 1_500);
    onceAt.set(name, runAt);
    await make(name, { runAt });
  }
  await make('all', { cron: '* * * * *', missed: 'all', paused: true });
  await make('latest', { cron: '* * * * *', missed: 'once', paused: true });
  await make('late', { runAt: now, missed: 'skip', paused: true });
  // As if nothing had lived for a while.
  const missedFrom = minute - missedMinutes * minuteMs;
  await world.db.run(
    "update schedules set status = 'active', next_at = ? where status = 'paused' and name like ?",
    missedFrom,
    `${ofSeed}.%`,
  );
  await sleep(random() * 2_000);
  await world.kill(kinds[ofSeed % kinds.length] ?? 'runner', random);

  await untilFired(world, ofSeed);
  const { nextAt } = await endAll(world, ofSeed);
  for (const [name, runAt] of onceAt) expect(await fired(world, ofSeed, name)).toEqual([runAt]);
  expect(await fired(world, ofSeed, 'late')).toEqual([]);
  expect(await times(world, ofSeed, 'late', 'skipped')).toEqual([missedFrom]);
  expect(await fired(world, ofSeed, 'all')).toEqual(minutes(missedFrom, nextAt('all')));
  // The last of those that were missed, and all that came after it.
  const [first = 0, ...others] = await fired(world, ofSeed, 'latest');
  expect(first).toBeGreaterThanOrEqual(minute);
  expect([first, ...others]).toEqual(minutes(first, nextAt('latest')));
  for (const id of calls) await requireDoneOnce(world, id, 'abc');
}

/** Others sweep at the same instant; neither the backoff nor the process of its own after a crash is what is tested here. */
async function untilFired({ db, maintenance }: Firers, ofSeed: number): Promise<void> {
  await eventually(`all of seed ${ofSeed} has fired and ended`, async () => {
    await Promise.all([maintenance.sweepQueue(), maintenance.sweepQueue(), maintenance.sweepQueue()]);
    await db.run("update jobs set run_at = 0, run_tick = 0, lane = 'call' where status = 'pending'");
    const due = "select 1 from schedules where status = 'active' and next_at <= ? and name like ? limit 1";
    if (await db.get(due, Date.now(), `${ofSeed}.%`)) return false;
    if (await db.get("select 1 from schedules where status = 'active' and cron is null limit 1")) return false;
    return !(await db.get("select 1 from jobs where status in ('pending', 'running') limit 1"));
  });
}

/** Lets no schedule of a seed fire any more; resolves to when each would have, once all that they have made has ended. */
async function endAll({ db, jobs }: Firers, ofSeed: number) {
  const left = await db.transaction((sql) =>
    sql.all<{ name: string; next_at: number }>(
      "update schedules set status = 'paused', revision = revision + 1 where status = 'active' and name like ? returning name, next_at",
      `${ofSeed}.%`,
    ),
  );
  await eventually('what fired last has ended', async () => {
    await jobs.sweep(session);
    return !(await db.get("select 1 from jobs where status in ('pending', 'running') limit 1"));
  });
  const at = new Map(left.map(({ name, next_at }) => [name, next_at]));
  return { nextAt: (name: string) => at.get(`${ofSeed}.${name}`) ?? 0 };
}

/** The times for which a schedule has fired, each of which has made one job that was done once. */
async function fired(world: Firers, ofSeed: number, name: string): Promise<number[]> {
  const { id } = await world.schedules.get(`${ofSeed}.${name}`, '');
  const runs = (await eventsOf(world, id, 'fired')).map(({ run }) => run ?? '');
  const made = await world.db.all<{ id: string }>(
    'select id from jobs where metadata = ? order by seq',
    JSON.stringify({ schedule: `${ofSeed}.${name}` }),
  );
  expect(made.map((job) => job.id)).toEqual(runs);
  for (const run of runs) await requireDoneOnce(world, run, `${ofSeed}.${name}`);
  return times(world, ofSeed, name, 'fired');
}

async function times(world: Firers, ofSeed: number, name: string, type: string): Promise<number[]> {
  const { id } = await world.schedules.get(`${ofSeed}.${name}`, '');
  return (await eventsOf(world, id, type)).map(({ due_at }) => Date.parse(due_at));
}

async function eventsOf({ db }: Firers, id: string, type: string): Promise<{ due_at: string; run?: string }[]> {
  const rows = await db.all<{ data: string }>(
    "select data from events where subject = 'schedule' and subject_id = ? and type = ? order by id",
    id,
    type,
  );
  return rows.map(({ data }) => readJson(data));
}

async function requireDoneOnce(world: Firers, id: string, output: string): Promise<void> {
  const job = await world.jobs.get(id);
  expect(hasEnded(job.status) && job).toMatchObject({ status: 'completed', errorCode: null });
  expect(await world.jobs.output(id)).toBe(output);
  expect((await world.events(id)).filter((type) => /completed|failed|cancelled|died/.test(type))).toHaveLength(1);
  const outcomes = (await world.jobs.attempts(id)).map(({ outcome }) => outcome);
  expect(outcomes).toEqual([...Array(job.crashes).fill('lost'), 'completed']);
}

const minutes = (from: number, until: number): number[] =>
  Array.from({ length: Math.max(0, (until - from) / minuteMs) }, (_, index) => from + index * minuteMs);
