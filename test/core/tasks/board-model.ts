import type { ErrorCode } from '../../../src/base/errors.js';
import type { FailurePolicy, TaskStatus } from '../../../src/core/tasks/task.js';

// A model of the board, as simple as possible: nothing is stored that can be computed. It uses no code of the board, so
// that it cannot repeat a mistake of it.

export interface ModelTask {
  id: number;
  status: TaskStatus;
  priority: number;
  dependencies: number[];
  policy: FailurePolicy;
  maxAttempts: number;
  attempts: number;
  token: number;
  claimedBy: string | null;
  worker: string | null;
  slot: number | null;
  leaseTick: number;
  /** Cancelled by its own policy, not by a caller. */
  isStopped: boolean;
  isHeld: boolean;
  notBefore: number;
  isOverdue: boolean;
  deadlineAt: number;
}

export interface ModelSlot {
  slot: number;
  worker: string;
  isNamed: boolean;
  holder: string;
  sessionId: string | null;
  task: number | null;
  leaseTick: number;
}

export interface ModelSession {
  id: string;
  holder: string;
  pid: number;
  isAlive: boolean;
  isEnded: boolean;
}

export interface Model {
  now: number;
  tick: number;
  tasks: ModelTask[];
  slots: ModelSlot[];
  sessions: ModelSession[];
}

export class Refused extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

export function refuse(code: ErrorCode): never {
  throw new Refused(code);
}

const minute = 60_000;

export const emptyModel = (now: number, tick: number): Model => ({ now, tick, tasks: [], slots: [], sessions: [] });

export function taskOf(model: Model, id: number): ModelTask {
  return model.tasks[id - 1] ?? refuse('not_found');
}

const isOver = (task: ModelTask): boolean => task.status === 'failed' || task.status === 'cancelled';
const isSkipped = (task: ModelTask): boolean => task.isStopped && task.policy === 'skip';

/** The dependencies that a task would fail by. */
function failures(model: Model, task: ModelTask): ModelTask[] {
  if (task.policy === 'run') return [];
  return task.dependencies.map((id) => taskOf(model, id)).filter((other) => isOver(other) && !isSkipped(other));
}

export function unfinished(model: Model, task: ModelTask): ModelTask[] {
  return task.dependencies
    .map((id) => taskOf(model, id))
    .filter((other) => other.status !== 'completed' && !isSkipped(other) && !(task.policy === 'run' && isOver(other)));
}

export const isReady = (model: Model, task: ModelTask): boolean =>
  task.status === 'pending' && !task.isHeld && unfinished(model, task).length === 0;

/** Ready tasks in the order in which they are claimed. */
export function readyLine(model: Model): ModelTask[] {
  return model.tasks
    .filter((task) => isReady(model, task))
    .sort((a, b) => b.priority - a.priority || Number(b.isOverdue) - Number(a.isOverdue) || a.id - b.id);
}

/** Every policy applied: a task is stopped if it would wait for a failure, and open if it no longer would. */
export function settle(model: Model): void {
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const task of model.tasks) {
      if (task.status !== 'pending' && !task.isStopped) continue;
      const mustStop = (task.policy === 'skip' || task.policy === 'cancel') && failures(model, task).length > 0;
      if (mustStop === task.isStopped) continue;
      task.isStopped = mustStop;
      task.status = mustStop ? 'cancelled' : 'pending';
      hasChanged = true;
    }
  }
}

/** Applies what only the clock changes. */
export function tellTime(model: Model): void {
  for (const task of model.tasks) {
    if (task.isHeld && task.notBefore <= model.now) task.isHeld = false;
    if ((task.status === 'pending' || task.status === 'in_progress') && task.deadlineAt <= model.now)
      task.isOverdue = true;
  }
}

export function waitsForItself(model: Model, id: number, dependencies: readonly number[]): boolean {
  const reaches = (from: number): boolean => from === id || taskOf(model, from).dependencies.some(reaches);
  return dependencies.some(reaches);
}

// Claims.

export const holderOf = (actor: { holder: string | null }, worker: string | undefined): string =>
  actor.holder ?? `loose:${worker ?? 'caller'}`;

export const leaseMs = (actor: { holder: string | null }, seconds = 0): number =>
  actor.holder === null ? seconds * 1_000 || 15 * minute : Math.max(seconds * 1_000, minute);

export const hasLapsed = (model: Model, task: { leaseTick: number }): boolean => task.leaseTick <= model.tick;

export function take(
  model: Model,
  task: ModelTask,
  claim: { actor: { holder: string | null }; worker?: string; slot?: number; seconds?: number },
): void {
  task.status = 'in_progress';
  task.claimedBy = holderOf(claim.actor, claim.worker);
  task.worker = claim.worker ?? null;
  task.slot = claim.slot ?? null;
  task.token++;
  task.attempts++;
  task.leaseTick = model.tick + leaseMs(claim.actor, claim.seconds);
}

function leaveSlot(model: Model, task: ModelTask): void {
  for (const slot of model.slots) if (slot.task === task.id && task.slot !== null) slot.task = null;
  task.slot = null;
}

export function finish(model: Model, task: ModelTask, status: TaskStatus): void {
  leaveSlot(model, task);
  task.status = status;
  settle(model);
}

/** Makes a task pending and clears its claim. */
export function rejoin(model: Model, task: ModelTask, attempts: number): void {
  leaveSlot(model, task);
  task.status = 'pending';
  task.attempts = attempts;
  task.claimedBy = null;
  task.worker = null;
  settle(model);
}

export function takeBack(model: Model, task: ModelTask): void {
  if (task.attempts >= task.maxAttempts) finish(model, task, 'failed');
  else rejoin(model, task, task.attempts);
}

export function lapseTasks(model: Model): void {
  const over = model.tasks.filter((task) => task.status === 'in_progress' && hasLapsed(model, task));
  for (const task of over) takeBack(model, task);
}

/** Reopens an ended task, unless its policy would stop it again. */
export function reopen(model: Model, task: ModelTask): void {
  const isStoppable = task.policy === 'skip' || task.policy === 'cancel';
  if (isStoppable && failures(model, task).length > 0) refuse('conflict');
  task.isStopped = false;
  rejoin(model, task, 0);
}

export const lengthen = (model: Model, lease: { leaseTick: number }, ms: number): void => {
  lease.leaseTick = Math.max(lease.leaseTick, model.tick + ms);
};

// Slots and sessions.

export function dropSlot(model: Model, slot: ModelSlot): void {
  for (const task of model.tasks) if (task.id === slot.task && task.slot === slot.slot) task.slot = null;
  model.slots = model.slots.filter((other) => other !== slot);
}

export function lapseSlots(model: Model): void {
  for (const slot of model.slots.filter((held) => hasLapsed(model, held))) dropSlot(model, slot);
}

export function renewHoldings(model: Model, holder: string): void {
  for (const task of model.tasks) {
    if (task.status === 'in_progress' && task.claimedBy === holder) lengthen(model, task, minute);
  }
  for (const slot of model.slots) if (slot.holder === holder) lengthen(model, slot, minute);
}

export function sweepSessions(model: Model): void {
  for (const session of model.sessions.filter((one) => !one.isAlive && !one.isEnded)) {
    session.isEnded = true;
    for (const slot of model.slots.filter((held) => held.sessionId === session.id)) dropSlot(model, slot);
  }
}

/** Whether all processes of its holder are dead. */
export function isAbandoned(model: Model, task: ModelTask): boolean {
  if (hasLapsed(model, task)) return true;
  const sessions = model.sessions.filter((session) => session.holder === task.claimedBy);
  return sessions.length > 0 && sessions.every((session) => session.isEnded || !session.isAlive);
}
