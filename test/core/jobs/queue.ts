import type { Actor } from '../../../src/core/actor.js';
import { capabilityHash } from '../../../src/core/jobs/claim-job.js';
import type { Job, JobRow } from '../../../src/core/jobs/job.js';
import { createJobStore, type JobStoreNeeds } from '../../../src/core/jobs/job-store.js';
import type { Lane } from '../../../src/core/jobs/lane.js';
import type { AttemptKey, Outcome } from '../../../src/core/jobs/outcome.js';
import type { RunnerRow } from '../../../src/core/jobs/runners.js';
import type { NewJob } from '../../../src/core/jobs/submit-job.js';
import type { Processes, ProcessIdentity } from '../../../src/core/ports.js';
import type { Runtime } from '../../../src/runtime.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { type OneByOne, oneByOne, singleLanes } from '../../support/one-by-one.js';
import { testRuntime } from '../../support/test-runtime.js';

export const session: Actor = { holder: 'session:test', project: '' };

export type Liveness = ReturnType<Processes['liveness']>;

export interface Queue {
  runtime: Runtime;
  /** What `jobs` is built over. */
  needs: JobStoreNeeds;
  jobs: OneByOne;
  clock: MovingClock;
  /** What the operating system would say of a runner's process; alive unless it was set. */
  liveness: Map<number, Liveness>;
  /** Outcomes that runners have left in files. */
  spooled: Map<string, Outcome>;
  /** Tokens of attempts that were claimed, and of which it is known that they never began. */
  unbegun: Set<string>;
  /** Runners that a rescue has ended. */
  killed: string[];
  submit(job?: Partial<NewJob>): Promise<Job>;
  /** A runner that has come up, with a permit that a submission brought if there is one; resolves to its id. */
  runner(lane?: Lane): Promise<string>;
  /** The job that a runner takes now; fails when it takes none. */
  take(runnerId: string): Promise<JobRow>;
  /** Submits a job and has a new runner take it. */
  running(job?: Partial<NewJob>): Promise<JobRow>;
  finish(job: JobRow, outcome: Outcome): Promise<JobRow | undefined>;
  rescue(): ReturnType<OneByOne['rescue']>;
  row(id: string): Promise<JobRow>;
  runnerRow(id: string): Promise<RunnerRow>;
  events(id: string): Promise<string[]>;
}

export const keyOf = (job: JobRow): AttemptKey => ({ jobId: job.id, token: job.attempt_token ?? '' });

export const completed: Outcome = { kind: 'completed', result: { ok: true }, output: 'Done.' };
export const failing = (isTransient: boolean, retryAfterMs?: number): Outcome => ({
  kind: 'failed',
  code: isTransient ? 'overloaded' : 'auth',
  message: isTransient ? 'Try again later.' : 'Set another key.',
  isTransient,
  retryAfterMs,
});

/** The queue on a real database, without processes: time, chance and death are what the test says. */
export async function testQueue(needs: Partial<JobStoreNeeds> & { maxRunning?: number } = {}): Promise<Queue> {
  const clock = movingClock();
  const liveness = new Map<number, Liveness>();
  const spooled = new Map<string, Outcome>();
  const unbegun = new Set<string>();
  const killed: string[] = [];
  let pid = 100;
  /** Whoever registers is a runner; everything else is done by a session. */
  let self = 1;
  const processes: Processes = {
    self: () => identity(self),
    liveness: (of) => liveness.get(of.pid) ?? 'alive',
  };
  const runtime = await testRuntime({ clock, processes });
  const { db } = runtime;
  const { capabilities = { types: new Set(['generic']), provides: ['anthropic'] }, maxRunning = 4, ...others } = needs;
  const allNeeds: JobStoreNeeds = {
    db,
    clock,
    processes,
    lanes: singleLanes(maxRunning),
    capabilities,
    effects: new Map(),
    random: () => 0.5,
    ...others,
  };
  const jobs = oneByOne(createJobStore(allNeeds));
  const permits: string[] = [];

  async function register(id: string): Promise<string> {
    self = pid;
    await jobs.registerRunner(id);
    self = 1;
    return id;
  }

  const queue: Queue = {
    runtime,
    needs: allNeeds,
    jobs,
    clock,
    liveness,
    spooled,
    unbegun,
    killed,
    async submit(given = {}) {
      const { job, runnerId } = await jobs.submit({ type: 'generic', payload: {}, ...given }, session);
      if (runnerId) permits.push(runnerId);
      return job;
    },
    async runner(lane = 'call') {
      pid++;
      const permit = lane === 'call' ? permits.shift() : undefined;
      if (permit) return register(permit);
      const id = `test-${pid}`;
      await db.run(
        `insert into runners (id, ability, state, lane, created_at, created_tick, created_boot_id)
         values (?, ?, 'starting', ?, ?, ?, ?)`,
        id,
        capabilityHash(capabilities),
        lane,
        clock.now(),
        clock.tick(),
        clock.bootId,
      );
      return register(id);
    },
    async take(runnerId) {
      const step = await jobs.nextStep(runnerId);
      if (step.do !== 'run') throw new Error(`The next step of the runner is to ${step.do}.`);
      return step.job;
    },
    async running(job) {
      await queue.submit(job);
      return queue.take(await queue.runner());
    },
    finish: (job, outcome) => jobs.finish(keyOf(job), outcome),
    rescue: () =>
      jobs.rescue({
        readSpooled: ({ token }) => spooled.get(token),
        neverBegan: ({ token }) => unbegun.has(token),
        forgetSpooled: ({ token }) => spooled.delete(token),
        endRunner: (row) => killed.push(row.id),
      }),
    row: (id) => one(db.get<JobRow>('select * from jobs where id = ?', id)),
    runnerRow: (id) => one(db.get<RunnerRow>('select * from runners where id = ?', id)),
    async events(id) {
      const rows = await db.all<{ type: string }>('select type from events where subject_id = ? order by id', id);
      return rows.map(({ type }) => type);
    },
  };
  return queue;
}

/** The pid that a runner of this queue has said it is. */
export async function pidOf(queue: Queue, runnerId: string): Promise<number> {
  return (await queue.runnerRow(runnerId)).pid ?? 0;
}

function identity(pid: number): ProcessIdentity {
  return { hostId: 'host', bootId: 'boot-1', pidNamespace: 'pid:[1]', pid, startTime: `${pid}` };
}

async function one<Row>(found: Promise<Row | undefined>): Promise<Row> {
  const row = await found;
  if (!row) throw new Error('There is no such row.');
  return row;
}
