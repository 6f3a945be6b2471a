import { z } from 'zod';
import type { QueueWorker } from '../../core/jobs/queue-workers.js';
import { iso } from '../../tools/call/fields.js';

const queueWorker = z.strictObject({
  id: z.string(),
  state: z.enum(['running', 'draining']),
  host: z.string(),
  pid: z.int(),
  /** The job types that it takes; left out for all. */
  types: z.array(z.string()).optional(),
  /** What it has beside providers and modules, such as gpu. */
  provides: z.array(z.string()),
  /** Model calls, and other jobs, at once. */
  calls: z.int(),
  processes: z.int(),
  /** The jobs that it works on. */
  running: z.int(),
  started_at: z.string(),
  heartbeat_at: z.string(),
});

export const queueWorkersOutput = z.strictObject({ workers: z.array(queueWorker) });

export type QueueWorkerList = z.infer<typeof queueWorkersOutput>;

/** @internal */
export const showQueueWorker = (worker: QueueWorker): z.infer<typeof queueWorker> => ({
  id: worker.id,
  state: worker.state,
  host: worker.host,
  pid: worker.pid,
  types: worker.types ?? undefined,
  provides: worker.provides,
  calls: worker.calls,
  processes: worker.processes,
  running: worker.running,
  started_at: iso(worker.startedAt),
  heartbeat_at: iso(worker.heartbeatAt),
});
