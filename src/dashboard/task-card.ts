/** The states that people see: a pending task is ready or waiting. */
export const taskStates = ['ready', 'waiting', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type TaskState = (typeof taskStates)[number];

/** A task as lists and cards show it; empty fields are left out. Times are ISO 8601. */
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

/** The number of tasks in each state, over the whole selection and not only the page shown. */
export interface TaskSummary {
  counts: Record<TaskState, number>;
  /** Open tasks whose deadline has passed. */
  overdue: number;
}

export const totalOf = ({ counts }: TaskSummary): number => taskStates.reduce((sum, state) => sum + counts[state], 0);

/** A number with separators: 10,000. */
export const shownCount = (count: number): string => count.toLocaleString('en');
