import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { randomOf } from '../../chaos/random.js';
import { startPostgres } from '../../support/postgres-server.js';
import { Books, checkBooks, readProgress } from './books.js';
import { type NetworkHost, serverAddress } from './network.js';
import { Session } from './session.js';

export interface RoundOptions {
  seed: number;
  round: number;
  tasks: number;
  jobs: number;
  /** Processes that work: three in eight of them take jobs, the others tasks. */
  workers: number;
  /** Ends the leases of the lost hosts at once, instead of after the minute that they last. */
  isShort: boolean;
  /** The built program. */
  main: string;
  hosts: readonly NetworkHost[];
  binaries: string;
}

export interface RoundFigures {
  seconds: number;
  cut: string;
  killed: string;
  refused: ReadonlyMap<string, number>;
  /** Tasks and jobs that were begun more than once, as their worker was lost. */
  repeated: { tasks: number; jobs: number };
  problems: string[];
}

/** Longer than any lease, twice. */
const roundMs = 15 * 60_000;

/** All tasks and jobs of a board are done by three hosts, of which one is cut off for a while and one is killed. */
export async function runRound(options: RoundOptions): Promise<RoundFigures> {
  const { seed, round, hosts, binaries, tasks, jobs, workers } = options;
  const startedAt = performance.now();
  const dir = mkdtempSync(join(tmpdir(), 'agent-runtime-hosts-'));
  const access = join(tmpdir(), `agent-runtime-hosts-${process.pid}.hba`);
  writeFileSync(access, 'local all all trust\nhost all all 0.0.0.0/0 trust\n', { mode: 0o644 });
  const settings = [`listen_addresses=127.0.0.1,${serverAddress}`, `hba_file=${access}`];
  const server = await startPostgres(binaries, { isSafe: true, settings });
  const url = `postgres://agrt@${serverAddress}:${server.port}/board`;
  const books = new Books();
  const random = randomOf(seed, round);
  try {
    const places = hosts.map((host) => placeOf(host, join(dir, host.name), url, options.main));
    const sessionsEach = Math.max(1, Math.round((workers * 5) / 8 / hosts.length));
    const workersEach = Math.max(1, Math.round((workers * 3) / 8 / hosts.length));
    const sessions = places.flatMap((place) =>
      Array.from({ length: sessionsEach }, (_, index) => place.session(`${place.name}-${index}`)),
    );
    for (const place of places) for (let count = 0; count < workersEach; count++) place.worker();
    await Promise.all(sessions.map((session) => session.begin()));
    await makeTasks(sessions[0], tasks);
    const client = new pg.Client(url);
    await client.connect();
    const state = { isOver: false };
    const submitting = Array.from({ length: jobs }, (_, index) => `job-${index}`);
    const work = sessions.map((session, index) =>
      useBoard(session, submitting, books, state, randomOf(seed, round, index)),
    );
    const [cut, killed] = pickTwo(hosts, random);
    const faults = befall(client, { cut, killed, random, tasks, options });
    await untilDone(client, { tasks, jobs }, faults, startedAt);
    state.isOver = true;
    await Promise.all(work);
    await Promise.all(sessions.map((session) => session.close()));
    for (const place of places) await place.stopWorkers();
    const problems = await checkBooks(client, books, { tasks, jobs });
    const repeated = await readRepeated(client);
    await client.end();
    const seconds = (performance.now() - startedAt) / 1_000;
    return { seconds, cut: cut.name, killed: killed.name, refused: books.refused, repeated, problems };
  } finally {
    for (const host of hosts) {
      await host.kill();
      host.heal();
    }
    await server.stop();
    for (const path of [dir, access]) rmSync(path, { recursive: true, force: true });
  }
}

/** A home for a host's processes. */
function placeOf(host: NetworkHost, home: string, url: string, main: string) {
  mkdirSync(join(home, '.claude'), { recursive: true });
  const commands = { work: { program: 'sh', args: ['-c', 'sleep 0.05; echo done'] } };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ commands }));
  const env = {
    HOME: home,
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    AGENT_RUNTIME_DB_URL: url,
    AGENT_RUNTIME_HOST_ID: host.name,
  };
  const command = (...args: string[]) => [...host.prefix, process.execPath, main, ...args];
  const ends: (() => Promise<unknown>)[] = [];
  return {
    name: host.name,
    session: (name: string) => new Session(name, command(), env),
    worker() {
      const [program = '', ...args] = command('worker');
      const child = spawn(program, args, { env, cwd: home, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('close', resolve));
      ends.push(() => {
        child.kill('SIGTERM');
        return ended;
      });
    },
    stopWorkers: () => Promise.all(ends.map((end) => end())),
  };
}

async function makeTasks(session: Session | undefined, count: number): Promise<void> {
  for (let made = 0; made < count; made += 100) {
    const tasks = Array.from({ length: Math.min(100, count - made) }, (_, index) => ({
      title: `Task ${made + index}`,
      max_attempts: 20,
    }));
    const reply = await session?.call('create_tasks', { tasks });
    if (reply?.is !== 'done') throw new Error(`create_tasks: ${JSON.stringify(reply)}`);
  }
}

type Random = ReturnType<typeof randomOf>;

/** Submits jobs, claims tasks and completes them until all are done, or its host is gone. */
async function useBoard(
  session: Session,
  submitting: string[],
  books: Books,
  state: { isOver: boolean },
  random: Random,
): Promise<void> {
  const ask = async (tool: string, args: object) => {
    const reply = await session.call(tool, args);
    if (reply.is === 'refused') books.countRefusal(reply.code, reply.message);
    return reply;
  };
  while (!state.isOver) {
    const key = random.next() < 0.4 ? submitting.pop() : undefined;
    if (key !== undefined) {
      const job = { type: 'command', payload: { command: 'work' }, idempotency_key: key, max_attempts: 20 };
      const reply = await ask('submit_job', job);
      if (reply.is === 'done') books.jobs.set(key, reply.data.job_id);
      else submitting.push(key);
      if (reply.is === 'gone') return;
    }
    const claimed = await ask('claim_next_task', {});
    if (claimed.is === 'gone') return;
    if (claimed.is !== 'done' || claimed.data.claim_token === undefined) {
      await sleep(200);
      continue;
    }
    const { id, claim_token } = claimed.data;
    const end = { task_id: id, status: 'completed', result: `by ${session.name}`, claim_token };
    // Called again with the same token it says the same, whether the first call was carried out or not.
    for (let isAsked = false; !isAsked; ) {
      const reply = await ask('update_task_status', end);
      if (reply.is === 'gone') return;
      if (reply.is === 'done') books.completed(id, session.name);
      isAsked = reply.is === 'done' || reply.code !== 'unavailable';
    }
  }
}

function pickTwo(hosts: readonly NetworkHost[], random: Random): [NetworkHost, NetworkHost] {
  const [first, second, third] = hosts;
  if (!first || !second || !third) throw new Error('A round needs three hosts.');
  return random.pick([
    [first, second],
    [first, third],
    [second, first],
    [second, third],
    [third, first],
    [third, second],
  ]);
}

interface Befalling {
  cut: NetworkHost;
  killed: NetworkHost;
  random: Random;
  tasks: number;
  options: RoundOptions;
}

/** Cuts one host off and kills another, in an order and at moments of the work that follow from the seed. Then the first is back. */
async function befall(client: pg.Client, { cut, killed, random, tasks, options }: Befalling): Promise<void> {
  const moments = [random.between(5, 30), random.between(35, 60)].map((percent) => (percent * tasks) / 100);
  const acts = [() => cut.cut(), () => killed.kill()];
  if (random.next() < 0.5) acts.reverse();
  for (const [index, act] of acts.entries()) {
    while ((await readProgress(client)).tasks < (moments[index] ?? 0)) await sleep(20);
    await act();
  }
  if (options.isShort) await endLeases(client, [cut.name, killed.name]);
  await sleep(options.isShort ? 1_000 : random.between(5, 90) * 1_000);
  cut.heal();
}

/** As if the others had heard nothing of them for more than a minute. */
async function endLeases(client: pg.Client, hosts: readonly string[]): Promise<void> {
  for (const table of ['sessions', 'runners', 'queue_workers']) {
    await client.query(`update ${table} set heartbeat_at = heartbeat_at - 61000 where host_id = any($1)`, [hosts]);
  }
}

async function untilDone(
  client: pg.Client,
  wanted: { tasks: number; jobs: number },
  faults: Promise<void>,
  startedAt: number,
): Promise<void> {
  await faults;
  for (;;) {
    const { tasks, jobs } = await readProgress(client);
    if (tasks === wanted.tasks && jobs === wanted.jobs) return;
    if (performance.now() - startedAt > roundMs) {
      throw new Error(`After ${roundMs / 60_000} minutes ${tasks} tasks and ${jobs} jobs are done.`);
    }
    await sleep(100);
  }
}

async function readRepeated(client: pg.Client): Promise<{ tasks: number; jobs: number }> {
  const { rows } = await client.query(
    `select (select count(*)::int from tasks where attempts > 1) as tasks,
       (select count(*)::int from jobs where attempt > 1) as jobs`,
  );
  return rows[0];
}
