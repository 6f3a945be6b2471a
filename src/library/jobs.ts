import type { Json } from '../base/json.js';
import type { JobStatus } from '../core/jobs/job.js';
import type { ShownAgents } from '../tools/shapes/agent.js';
import type { ShownJob, ShownListedJob, ShownSubmission } from '../tools/shapes/job.js';

/** The status of a job. The last three are final. */
export type JobState = JobStatus;

/** A new job for an agent. */
export interface JobSubmission {
  /** Which agent: `ml_experiment`, `backtest`, `generic`, `command`, or the type of an agent of your own. */
  type: string;
  /** Its input, as the agent's schema says: what JSON can hold. Checked when it is submitted. */
  payload: object;
  /** Anything you want kept with the job. */
  metadata?: object;
  /** 1 to 10, 10 first; 5 unless given. */
  priority?: number;
  /** Jobs that must be completed first, by id. */
  depends_on?: string[];
  /** What becomes of it when one of those does not complete, as for tasks; `cancel` unless given. */
  on_dependency_failure?: 'block' | 'skip' | 'run' | 'cancel';
  /** Not started before this; ISO 8601 with a zone. */
  run_at?: string;
  /** Tries on transient failures or a lost process; 3 unless given. */
  max_attempts?: number;
  /** How long one try may take; what the agent says, or 1,800, unless given. */
  timeout_seconds?: number;
  /** A name of your own: the same key again returns the same job. */
  idempotency_key?: string;
}

export type SubmittedJob = ShownSubmission;

/** A job in full. Times are ISO 8601 in UTC. */
export type Job = Omit<ShownJob, 'result' | 'left_out'> & {
  /** What its agent returned, never cut; null until it has completed. */
  result: Json;
};

/** A job in a list. */
export type JobSummary = ShownListedJob;

export interface JobFilter {
  status_filter?: JobState;
  type?: string;
  /** `project`: jobs of this project and of none. `all`: of every project. */
  scope?: 'project' | 'all';
  /** At most this many, newest first; 100 unless given. */
  limit?: number;
}

/** A type of job. */
export type AgentSummary = ShownAgents['agents'][number];

/** The types of job, and the modules that could not be used. */
export type AgentList = ShownAgents;

/**
 * The states of a job, one after the other: `for await` gives each that differs from the one before, the final one last;
 * `await` gives the final one alone. A failed job is a state like any other, and no exception.
 */
export interface JobWait extends AsyncIterable<Job>, PromiseLike<Job> {}
