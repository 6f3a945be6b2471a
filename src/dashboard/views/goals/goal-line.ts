import type { TaskSummary } from '../../task-card.js';

export interface Tokens {
  /** None: counted, not limited. */
  budget: number | null;
  spent: number;
  reserved: number;
}

/** A goal as lists show it. Times are ISO 8601. */
export interface GoalLine extends TaskSummary {
  id: number;
  name: string;
  description: string;
  status: string;
  project?: string;
  created_at: string;
  completed_at?: string;
  tokens: Tokens;
}
