import type { TaskState } from '../../task-card.js';
import { isTaskState } from '../../ui/state.js';

/** A task as get_task gives it. */
export interface WholeTask {
  id: number;
  key?: string;
  goal_id: number | null;
  project?: string;
  title: string;
  description: string;
  acceptance?: string;
  expected_output?: string;
  status: string;
  ready?: boolean;
  priority: number;
  attempts: number;
  max_attempts: number;
  overdue?: boolean;
  skipped?: boolean;
  deadline?: string;
  not_before?: string;
  on_dependency_failure?: string;
  waits_because?: string;
  claimed_by?: string;
  worker_id?: string;
  lease_expires_at?: string;
  tokens_used?: number;
  result: string | null;
  error: string | null;
  metadata: Record<string, unknown>;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  completed_at: string | null;
}

export function stateOf({ status, ready }: WholeTask): TaskState {
  if (status === 'pending') return ready ? 'ready' : 'waiting';
  return isTaskState(status) ? status : 'waiting';
}
