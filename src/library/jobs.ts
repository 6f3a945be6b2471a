import type { Json, JsonObject } from '../base/json.js';

/** How a job stands. The last three are final. */
export type JobState = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Work for an agent. */
export interface JobSubmission {
  /** Which agent: `ml_experiment`, `backtest`, `generic`, `command`, or the type of an agent of your own. */
  type: string;
  /** What it is to work on, as the agent's schema says: what JSON can hold. Checked when it is submitted. */
  payload: object;
  /** Anything you want kept with the job. */
  metadata?: object;
  /** 1 to 10, 10 first; 5 unless given. */
  priority?: number;
  /** Jobs that must be completed first, by id. */
  depends_on?: string[];
  /** Not started before this; ISO 8601 with a zone. */
  run_at?: string;
  /** Tries on transient failures or a lost process; 3 unless given. */
  max_attempts?: number;
  /** How long one try may take; what the agent says, or 1,800, unless given. */
  timeout_seconds?: number;
  /** A name of your own: the same again returns the same job. */
  idempotency_key?: string;
}

export interface SubmittedJob {
  job_id: string;
  status: JobState;
  /** The idempotency key was known: this is the job of the earlier call. */
  repeated?: boolean;
}

/** A job whole. Times are ISO 8601 in UTC. */
export interface Job {
  job_id: string;
  type: string;
  status: JobState;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  /** 0 to 1, when its agent says. */
  progress?: number;
  progress_message?: string;
  /** What its agent returned; null until it has completed. */
  result: Json;
  error: { code: string; message: string } | null;
  warnings?: string[];
  metadata: JsonObject;
  /** Files that it saved. */
  artifacts?: { name: string; path: string; size_bytes: number; sha256: string }[];
  /** The end of its log, oldest first. */
  logs: { at: string; level: string; message: string }[];
}

export interface JobSummary {
  job_id: string;
  type: string;
  status: JobState;
  /** Its payload in a few words. */
  about: string;
  created_at: string;
  completed_at: string | null;
}

export interface JobFilter {
  status_filter?: JobState;
  type?: string;
  /** `project`: jobs of this project and of none. `all`: of every project. */
  scope?: 'project' | 'all';
  /** At most this many, newest first; 100 unless given. */
  limit?: number;
}

/** A type of job. */
export interface AgentSummary {
  type: string;
  description: string;
  /** Names of what its payload takes. */
  payload: string[];
  concurrency?: number;
  timeout_seconds?: number;
  /** Absolute path, when it is not built in. */
  module?: string;
}

/**
 * The states of a job, one after the other: `for await` gives each that differs from the one before, the final one last;
 * `await` gives the final one alone. A failed job is a state like any other, and no exception.
 */
export interface JobWait extends AsyncIterable<Job>, PromiseLike<Job> {}
