import { type JsonObject, readJson } from '../../base/json.js';

export const goalStatuses = ['active', 'completed', 'cancelled'] as const;
export type GoalStatus = (typeof goalStatuses)[number];

export interface GoalRow {
  id: number;
  name: string;
  description: string;
  status: GoalStatus;
  project: string;
  metadata: string;
  created_at: number;
  updated_at: number;
  completed_at: number | null;
}

export interface Goal {
  id: number;
  name: string;
  description: string;
  status: GoalStatus;
  project: string;
  metadata: JsonObject;
  createdAt: number;
  updatedAt: number;
  completedAt: number | null;
}

export function toGoal(row: GoalRow): Goal {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    status: row.status,
    project: row.project,
    metadata: readJson<JsonObject>(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    completedAt: row.completed_at,
  };
}
