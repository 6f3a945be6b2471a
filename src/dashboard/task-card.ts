/** The statuses as people see them: what is pending can be done now, or waits for something. */
export const taskStates = ['ready', 'waiting', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type TaskState = (typeof taskStates)[number];

/** As much of a task as lists and cards show; what says nothing is left out. Times are ISO 8601. */
export interface TaskCard {
  id: number;
  key?: string;
  title: string;
  state: TaskState;
  priority: number;
  goal_id?: number;
  project?: string;
  waits_for?: number;
  failed_dependencies?: number;
  not_before?: string;
  deadline?: string;
  overdue?: boolean;
  skipped?: boolean;
  worker?: string;
  claimed_at?: string;
  lease_expires_at?: string;
  attempts: number;
  max_attempts: number;
  error?: string;
  completed_at?: string;
}

/** How many tasks are in each state; true for all that are meant, not for a page of them. */
export interface TaskSummary {
  counts: Record<TaskState, number>;
  /** Open ones whose deadline has passed. */
  overdue: number;
}

export const totalOf = ({ counts }: TaskSummary): number => taskStates.reduce((sum, state) => sum + counts[state], 0);

/** A number as people write it: 10,000. */
export const shownCount = (count: number): string => count.toLocaleString('en');
