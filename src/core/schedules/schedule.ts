import type { EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';

/** What a schedule submits: a prompt to a model, a job, a goal with tasks of a template, or a relay. */
export const scheduleKinds = ['prompt', 'job', 'goal', 'relay'] as const;
export type ScheduleKind = (typeof scheduleKinds)[number];

/**
 * What becomes of times at which nothing lived to fire it: none is made up for, the last one is, or each of the last
 * `mostMissed`.
 */
export const missedPolicies = ['skip', 'once', 'all'] as const;
export type MissedPolicy = (typeof missedPolicies)[number];

/** What happens when it is due and what it made last is still at work. */
export const overlapPolicies = ['skip', 'allow'] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

export const scheduleStatuses = ['active', 'paused', 'ended'] as const;
export type ScheduleStatus = (typeof scheduleStatuses)[number];

export const firingOutcomes = ['started', 'skipped', 'failed'] as const;
export type FiringOutcome = (typeof firingOutcomes)[number];

export interface ScheduleRow {
  id: string;
  name: string;
  project: string;
  kind: ScheduleKind;
  request: string;
  requires: string | null;
  cron: string | null;
  timezone: string;
  missed: MissedPolicy;
  overlap: OverlapPolicy;
  status: ScheduleStatus;
  next_at: number | null;
  revision: number;
  fired: number;
  last_due_at: number | null;
  last_at: number | null;
  last_outcome: FiringOutcome | null;
  last_run: string | null;
  last_error_code: string | null;
  last_error: string | null;
  created_by: string | null;
  created_at: number;
  updated_at: number;
  /** The status of the job, goal or relay that the last firing made; null if there is none any more. */
  last_run_status?: string | null;
}

export interface Schedule {
  id: string;
  name: string;
  project: string;
  kind: ScheduleKind;
  /** What is submitted each time, as the tool of its kind takes it. */
  request: JsonObject;
  /** The provider, command or module that the process that fires it must have. */
  requires: string | null;
  /** Null for one that fires once. */
  cron: string | null;
  timezone: string;
  missed: MissedPolicy;
  overlap: OverlapPolicy;
  status: ScheduleStatus;
  nextAt: EpochMs | null;
  revision: number;
  /** How many times it has fired. */
  fired: number;
  last: Firing | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
}

/** The last time that a schedule was due, and what has come of it. */
export interface Firing {
  dueAt: EpochMs;
  at: EpochMs;
  outcome: FiringOutcome;
  /** The id of what it made. */
  run: string | null;
  /** The status of that now. */
  runStatus: string | null;
  errorCode: string | null;
  /** Why it was skipped, or has failed. */
  error: string | null;
}

export function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    name: row.name,
    project: row.project,
    kind: row.kind,
    request: readJson<JsonObject>(row.request),
    requires: row.requires,
    cron: row.cron,
    timezone: row.timezone,
    missed: row.missed,
    overlap: row.overlap,
    status: row.status,
    nextAt: row.next_at,
    revision: row.revision,
    fired: row.fired,
    last: toFiring(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toFiring(row: ScheduleRow): Firing | null {
  if (row.last_outcome === null || row.last_at === null) return null;
  return {
    dueAt: row.last_due_at ?? row.last_at,
    at: row.last_at,
    outcome: row.last_outcome,
    run: row.last_run,
    runStatus: row.last_run_status ?? null,
    errorCode: row.last_error_code,
    error: row.last_error,
  };
}
