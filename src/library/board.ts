import type { z } from 'zod';
import type { GoalStatus } from '../core/tasks/goal.js';
import type { TaskStatus } from '../core/tasks/task.js';
import type { ShownGoal } from '../tools/shapes/goal.js';
import type { newTask } from '../tools/shapes/new-task.js';
import type { claimedTaskOutput, taskOutput } from '../tools/shapes/task.js';

/** A task's id (12 or "12"), or the key it was created with. */
export type TaskReference = number | string;

export type GoalState = GoalStatus;
export type TaskState = TaskStatus;

/** A goal. Times are ISO 8601 in UTC. */
export type Goal = ShownGoal;

/** A task. Times are ISO 8601 in UTC. */
export type Task = z.infer<typeof taskOutput>;

/** A task after a change of its status; `claim_token` is there while it is in progress. */
export type UpdatedTask = Task & { claim_token?: number | undefined };

/** A task that was just claimed, with the results of the tasks before it. */
export type ClaimedTask = z.infer<typeof claimedTaskOutput>;

export interface NewGoal {
  name: string;
  description: string;
  metadata?: object;
  /** The project it belongs to; that of this runtime unless given. */
  project?: string;
  /** Most tokens that background work for it may use in all. */
  token_budget?: number;
}

export interface GoalFilter {
  status?: GoalState;
  scope?: 'project' | 'all';
  /** At most this many, newest first; 100 unless given. */
  limit?: number;
}

/** Changes of a goal; what is left out stays. Cancelling a goal cancels its open tasks. */
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
  /** Acceptance criteria: when it is done. */
  acceptance?: string;
}

/** A new task, with the fields of `create_task`. Times are ISO 8601 with a zone. */
export type NewTask = Omit<z.input<typeof newTask>, 'metadata'> & {
  /** Anything you want kept with it. */
  metadata?: object;
};

export interface ClaimOptions {
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
  /** The token that the claim returned. An outdated claim is refused, and changes nothing. */
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
