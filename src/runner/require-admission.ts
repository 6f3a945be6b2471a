import { Postponed } from '../agents/define-agent.js';
import type { Clock } from '../base/clock.js';
import type { JobRow } from '../core/jobs/job.js';
import { askJobBreaker, breakerOf } from '../core/jobs/job-breaker.js';
import type { Database } from '../store/sql.js';

/** A breaker that is held may be reset at any moment: jobs look again this soon. */
const heldWaitMs = 30_000;

/** Throws `Postponed` when the breaker of the job's type lets nothing through now. */
export async function requireAdmission(job: JobRow, { db, clock }: { db: Database; clock: Clock }): Promise<void> {
  const admission = await askJobBreaker(db, job, clock);
  if (!admission || admission.allowed) return;
  const { retryAfterMs } = admission;
  const why = retryAfterMs === undefined ? 'was tripped by hand and waits for circuit_breaker_reset' : 'is open';
  throw new Postponed(`The breaker ${breakerOf(job.type)} ${why}; nothing was started.`, retryAfterMs ?? heldWaitMs);
}
