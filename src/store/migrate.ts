import { foundation } from './migrations/001-foundation/index.js';
import { postponedJobs } from './migrations/002-postponed-jobs.js';
import { verdicts } from './migrations/003-verdicts.js';
import { browserSessions } from './migrations/004-browser-sessions.js';
import { knownTools } from './migrations/005-known-tools.js';
import { liveUsage } from './migrations/006-live-usage.js';
import { dueByTick } from './migrations/007-due-by-tick.js';
import { taskLinks } from './migrations/008-task-links.js';
import { breakerClock } from './migrations/009-breaker-clock.js';
import { lanes } from './migrations/010-lanes.js';
import { taskCounts } from './migrations/011-task-counts.js';
import { messages } from './migrations/012-messages.js';
import { sweeps } from './migrations/013-sweeps.js';
import { pathReservations } from './migrations/014-path-reservations.js';
import { worktrees } from './migrations/015-worktrees.js';
import { taskTimes } from './migrations/016-task-times.js';
import { jobTimes } from './migrations/017-job-times.js';
import { jobPolicies } from './migrations/018-job-policies.js';
import { serverLists } from './migrations/019-server-lists.js';
import { taskKeys } from './migrations/020-task-keys.js';
import { acknowledgements } from './migrations/021-acknowledgements.js';
import { schedules } from './migrations/022-schedules.js';
import { costs } from './migrations/023-costs.js';
import { queueWorkers } from './migrations/024-queue-workers.js';
import { relayStages } from './migrations/025-relay-stages.js';
import { attemptOutput } from './migrations/026-attempt-output.js';
import { jobCounts } from './migrations/027-job-counts.js';
import { fairShares } from './migrations/028-fair-shares.js';
import { scheduleFirings } from './migrations/029-schedule-firings.js';
import { hosts } from './migrations/030-hosts.js';
import { eventTargets } from './migrations/031-event-targets.js';
import { keyedTasks } from './migrations/032-keyed-tasks.js';
import { openJobs } from './migrations/033-open-jobs.js';
import type { Migration } from './schema.js';

/** Every migration, oldest first: append only. Both engines run them, PostgreSQL in the words of its own. */
export const migrations: readonly Migration[] = [
  foundation,
  postponedJobs,
  verdicts,
  browserSessions,
  knownTools,
  liveUsage,
  dueByTick,
  taskLinks,
  breakerClock,
  lanes,
  taskCounts,
  messages,
  sweeps,
  pathReservations,
  worktrees,
  taskTimes,
  jobTimes,
  jobPolicies,
  serverLists,
  taskKeys,
  acknowledgements,
  schedules,
  costs,
  queueWorkers,
  relayStages,
  attemptOutput,
  jobCounts,
  fairShares,
  scheduleFirings,
  hosts,
  eventTargets,
  keyedTasks,
  openJobs,
];
