import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerConfig } from '../base/config.js';
import type { Log } from '../base/log.js';
import type { QueueWorkers } from '../core/jobs/queue-workers.js';
import { identityOf } from '../core/jobs/runners.js';
import type { Spawner } from '../core/ports.js';
import type { Jobs } from './jobs.js';

export interface WorkerNeeds {
  worker: WorkerConfig;
  queueWorkers: QueueWorkers;
  jobs: Pick<Jobs, 'fill' | 'sweep'>;
  spawner: Pick<Spawner, 'signalRunner'>;
  log: Log;
  /** Where it answers /healthz and /metrics. */
  url: string | null;
}

/** How often it looks for jobs that no runner has room for. Those that are at work take their next one themselves. */
const fillMs = 500;
const heartbeatMs = 10_000;
const pollMs = 100;
/** What a runner that was told to end may take to hand its jobs back. */
const handBackMs = 15_000;

const nobody = { holder: null, project: '' };

/**
 * A long-lived process that works the queue by runners of its own, which do the jobs: so one that hangs, floods or crashes
 * takes neither the worker nor others with it.
 */
export class Worker {
  readonly #needs: WorkerNeeds;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(needs: WorkerNeeds) {
    this.#needs = needs;
  }

  /** Rejects when the database cannot be written. */
  async start(): Promise<void> {
    const { worker, queueWorkers, jobs, url } = this.#needs;
    const { id, types = null, provides, calls, processes } = worker;
    await queueWorkers.begin({
      id,
      types: types === null ? null : [...types],
      provides: [...provides],
      calls,
      processes,
      url,
    });
    this.#every(heartbeatMs, 'heartbeat', () => queueWorkers.heartbeat(id));
    this.#every(fillMs, 'start runners', () => jobs.fill(nobody));
  }

  /**
   * Takes no more jobs, and resolves when those at work have ended. After `graceMs`, or when `hurry` is aborted, they are
   * handed back to the queue. Resolves to how many were.
   */
  async stop(graceMs: number, hurry: AbortSignal): Promise<number> {
    const { worker, queueWorkers, log } = this.#needs;
    for (const timer of this.#timers.splice(1)) clearInterval(timer);
    await queueWorkers.drain(worker.id);
    const graceEndsAt = performance.now() + graceMs;
    let running = await this.#endIdle();
    while (running > 0 && performance.now() < graceEndsAt && !hurry.aborted) {
      await sleep(pollMs, undefined, { signal: hurry }).catch(() => {});
      running = await this.#endIdle();
    }
    if (running > 0) {
      log.warn('jobs are handed back to the queue', { jobs: running });
      await this.#endAll();
    }
    this.close();
    await queueWorkers.end(worker.id);
    return running;
  }

  /** Stops the timers; what it has started goes on. */
  close(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Ends the runners that carry nothing; resolves to how many jobs the others carry. One that starts will see for itself. */
  async #endIdle(): Promise<number> {
    const { worker, queueWorkers, spawner } = this.#needs;
    const runners = await queueWorkers.runners(worker.id);
    for (const runner of runners) {
      const identity = identityOf(runner);
      if (identity && runner.running === 0) spawner.signalRunner(identity, 'SIGTERM');
    }
    return runners.reduce((sum, { running }) => sum + running, 0);
  }

  async #endAll(): Promise<void> {
    const { worker, queueWorkers, spawner, jobs } = this.#needs;
    const signalAll = async (signal: 'SIGTERM' | 'SIGKILL') => {
      const identities = (await queueWorkers.runners(worker.id)).map(identityOf);
      return identities.filter((identity) => identity && spawner.signalRunner(identity, signal)).length;
    };
    const killAt = performance.now() + handBackMs;
    let left = await signalAll('SIGTERM');
    while (left > 0 && performance.now() < killAt) {
      await sleep(pollMs);
      left = (await queueWorkers.runners(worker.id)).length;
    }
    if (left === 0) return;
    await signalAll('SIGKILL');
    await sleep(pollMs);
    await jobs.sweep(nobody);
  }

  #every(ms: number, duty: string, work: () => Promise<unknown>): void {
    let isBusy = false;
    const run = async () => {
      if (isBusy) return;
      isBusy = true;
      await work().catch((error: unknown) => this.#needs.log.warn('a duty failed', { duty, error }));
      isBusy = false;
    };
    this.#timers.push(setInterval(() => void run(), ms));
  }
}
