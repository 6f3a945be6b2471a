import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.js';
import { RuntimeError } from '../../src/base/errors.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import { openAt } from '../support/open-at.js';

export interface WorkOptions {
  /** A file, or the address of a database on a server. */
  database: string;
  worker: string;
  leaseSeconds: number;
  /** How long each task takes. */
  workMs: number;
  /** Told of each task once its completion is on the disk. */
  onDone?: ((id: number) => void) | undefined;
}

export interface WorkReport {
  worker: string;
  completed: number;
  /** Claims that lapsed while it worked, and so counted for nothing. */
  lost: number;
  /** Milliseconds of each claim. */
  claimMs: number[];
}

const actor = { holder: null, project: '' };

/**
 * Claims and completes tasks of a board that others work on too, until none is open. Throws whatever else than a lost claim
 * a caller would see.
 */
export async function workUntilEmpty({
  database,
  worker,
  leaseSeconds,
  workMs,
  onDone,
}: WorkOptions): Promise<WorkReport> {
  const clock = systemClock();
  const db = await openAt(database, clock.now);
  const board = createTaskBoard({ db, clock });
  const report: WorkReport = { worker, completed: 0, lost: 0, claimMs: [] };
  for (;;) {
    const askedAt = performance.now();
    const task = await board.claimNext({}, { workerId: worker, leaseSeconds }, actor);
    if (!task) {
      const { waiting, claimed } = await board.waitingReasons({});
      if (waiting === 0 && claimed === 0) break;
      await sleep(20);
      continue;
    }
    report.claimMs.push(performance.now() - askedAt);
    if (workMs > 0) await sleep(workMs);
    const end = { task: task.id, status: 'completed', result: worker, claimToken: task.claimToken } as const;
    try {
      await board.updateStatus(end, actor);
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'stale_claim') throw error;
      report.lost++;
      continue;
    }
    report.completed++;
    onDone?.(task.id);
  }
  db.close();
  return report;
}
