import type { Actor } from '../../src/core/actor.js';
import type { AttemptKey, Outcome } from '../../src/core/jobs/outcome.js';
import type { NewJob } from '../../src/core/jobs/submit-job.js';
import type { Runtime } from '../../src/runtime.js';
import { jobStoreOf } from '../support/job-store.js';

/** Plays the runners: jobs are claimed and end as they are told to, by the runtime's clock; no process is started. */
export function sampleRunners(runtime: Runtime) {
  const store = jobStoreOf(runtime);
  const runners = new Set<string>();
  const claimed = new Map<string, { runner: string; key: AttemptKey }>();

  async function turn(runner: string, ended: { key: AttemptKey; outcome: Outcome }[], room: number): Promise<void> {
    const { next } = await store.turn(runner, ended, room);
    if (next.do === 'leave') runners.delete(runner);
    if (next.do !== 'run') return;
    for (const { id, attempt_token } of next.jobs) {
      claimed.set(id, { runner, key: { jobId: id, token: attempt_token ?? '' } });
    }
  }

  return {
    /** Submits a job, which starts at once if it can; resolves to its id. */
    async submit(job: NewJob, actor: Actor): Promise<string> {
      const { job: submitted, runnerId } = await store.submit(job, actor);
      if (runnerId !== undefined) {
        await store.registerRunner(runnerId);
        runners.add(runnerId);
      }
      for (const runner of [...runners]) await turn(runner, [], 8);
      return submitted.id;
    },

    /** Starts what is due, such as the next try of a job. */
    async startDue(actor: Actor): Promise<void> {
      for (const runnerId of await store.permitRunners(actor)) {
        await store.registerRunner(runnerId);
        runners.add(runnerId);
      }
      for (const runner of [...runners]) await turn(runner, [], 8);
    },

    isRunning: (id: string): boolean => claimed.has(id),

    /** Adds to the output of a running job. */
    async write(id: string, piece: string, chunk: number): Promise<void> {
      await runtime.db.run('insert into job_chunks (job_id, seq, text) values (?, ?, ?)', id, chunk, piece);
    },

    async end(id: string, outcome: Outcome): Promise<void> {
      const running = claimed.get(id);
      if (!running) throw new Error(`The sample's job ${id} is not running.`);
      claimed.delete(id);
      await turn(running.runner, [{ key: running.key, outcome }], 0);
    },
  };
}
