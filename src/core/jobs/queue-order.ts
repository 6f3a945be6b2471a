import type { EpochMs } from '../../base/clock.js';

/** The waiting that counts as one step of priority. */
const agingStepMs = 300_000;

/**
 * Where a job stands in the queue: five minutes of waiting count as one step of priority. It is known when the job is
 * submitted and never changes by itself, so that an index serves the order. Of the jobs that become due after this one only
 * those can overtake it that do so within five minutes for each step between their priorities; so none starves.
 */
export const queueAt = (priority: number, dueAt: EpochMs): EpochMs => dueAt + (10 - priority) * agingStepMs;
