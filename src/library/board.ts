import type { JsonObject } from '../base/json.js';

/** A task's id (12 or "12"), or the key it was created with. */
export type TaskReference = number | string;

export type GoalState = 'active' | 'completed' | 'cancelled';

export interface NewGoal {
  name: string;
  description: string;
  metadata?: object;
  /** The project it belongs to; that of this runtime unless given. */
  project?: string;
  /** Most tokens that background work for it may use in all. */
  token_budget?: number;
}

export interface Goal {
  id: number;
  name: string;
  description: string;
  status: GoalState;
  created_at: string;
  updated_at: string;
  completed_at: string | null;
  metadata: JsonObject;
  project?: string;
  /** How many of its tasks are in which state. */
  progress: Record<'total' | TaskState, number>;
  /** The longest chain of open tasks, in order. */
  critical_path?: number[];
  tokens?: { budget: number | null; spent: number; reserved: number };
}

export interface GoalFilter {
  status?: GoalState;
  scope?: 'project' | 'all';
  /** At most this many, newest first; 100 unless given. */
  limit?: number;
}

/** Changes of a goal; what is left out stays. Cancelling one cancels its open tasks. */
export interface GoalEdit {
  name?: string;
  description?: string;
  metadata?: object;
  token_budget?: number | null;
  status?: GoalState;
}

export interface Plan {
  tasks: PlannedTask[];
  /** What a plan without any `depends_on` means: one task after the other (`sequential`, by default), or side by side. */
  strategy?: 'sequential' | 'parallel' | 'hierarchical';
}

export interface PlannedTask {
  title: string;
  description?: string;
  priority?: number;
  /** Titles of other tasks of the plan, or their places in it, counted from 0. */
  depends_on?: (string | number)[];
  /** How one can tell that it is done. */
  acceptance?: string;
}

export type TaskState = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

export interface NewTask {
  title: string;
  goal_id?: number;
  description?: string;
  /** 1 to 10, 10 first; 5 unless given. */
  priority?: number;
  /** Tasks that must be done first. */
  dependencies?: TaskReference[];
  /** A name of your own, unique; works wherever an id does. */
  key?: string;
  metadata?: object;
  /** ISO 8601 with a zone. */
  deadline?: string;
  not_before?: string;
  acceptance?: string;
  /** Claims that may lapse before it fails; 3 unless given. */
  max_attempts?: number;
  /** What becomes of it when a dependency fails; `block` unless given. */
  on_dependency_failure?: 'block' | 'skip' | 'run' | 'cancel';
}

export interface Task {
  id: number;
  goal_id: number | null;
  title: string;
  description: string;
  status: TaskState;
  priority: number;
  dependencies: number[];
  created_at: string;
  updated_at: string;
  started_at: string | null;
  completed_at: string | null;
  result: string | null;
  error: string | null;
  metadata: JsonObject;
  key?: string;
  project?: string;
  ready?: boolean;
  overdue?: boolean;
  acceptance?: string;
  deadline?: string;
  not_before?: string;
  attempts: number;
  max_attempts: number;
  claimed_by?: string;
  worker_id?: string;
  lease_expires_at?: string;
  /** Proves that the claim is yours; when this call has just claimed it. */
  claim_token?: number;
}

/** A task that was just claimed. */
export interface ClaimedTask extends Task {
  claim_token: number;
  /** What the tasks before it left; `getTask` has those whole that are cut after 1,500 characters. */
  dependency_results: { id: number; title: string; status: TaskState; result: string | null }[];
}

export interface ClaimWishes {
  /** Only tasks of this goal. */
  goal_id?: number;
  /** A name for who does it, when a program has several workers. */
  worker_id?: string;
  /** How long the claim lives without a heartbeat; while this runtime is open it is renewed by itself. */
  lease_seconds?: number;
  scope?: 'project' | 'all';
}

export interface TaskUpdate {
  result?: string;
  error?: string;
  /** The one that the claim returned: an outdated claim is refused, and changes nothing. */
  claim_token?: number;
  tokens_used?: number;
  note?: string;
}

export interface TaskFilter {
  goal_id?: number;
  status?: TaskState;
  /** Only tasks with this text in their title, key or description. */
  text?: string;
  scope?: 'project' | 'all';
  /** At most this many, newest first; 100 unless given. */
  limit?: number;
}
