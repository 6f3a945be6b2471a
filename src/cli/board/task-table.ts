import type { TaskCard } from '../../http/page/tasks.js';
import type { Output, Paint } from '../output.js';
import { type Column, relativeIso, renderTable } from '../table.js';

const colours = {
  ready: 'blue',
  waiting: 'gray',
  in_progress: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
} as const satisfies Record<TaskCard['state'], Parameters<Paint>[0]>;

export interface TaskTableOptions {
  now: number;
  /** False under a heading that names the state. */
  hasState: boolean;
}

/** Tasks as a table for people, with what is to be known of each in its state. */
export function taskTable(
  tasks: readonly TaskCard[],
  { columns, paint }: Pick<Output, 'columns' | 'paint'>,
  { now, hasState }: TaskTableOptions,
): string {
  const declared: Column<TaskCard>[] = [
    { title: 'ID', value: ({ id }) => String(id), isNumber: true },
    { title: 'TASK', value: ({ title, key }) => (key === undefined ? title : `${title} (${key})`), isText: true },
    ...(hasState ? [stateColumn(paint)] : []),
    { title: 'PRIORITY', value: ({ priority }) => String(priority), isNumber: true },
    { title: 'GOAL', value: ({ goal_id }) => (goal_id === undefined ? '' : String(goal_id)), isNumber: true },
    { title: 'NOTE', value: (task) => noteOf(task, now), isText: true },
  ];
  return renderTable(declared, tasks, { width: columns(), paint });
}

function stateColumn(paint: Paint): Column<TaskCard> {
  return {
    title: 'STATE',
    value: ({ state }) => stateName(state),
    paint: (cell, { state }) => paint(colours[state], cell),
  };
}

export const stateName = (state: string): string => state.replaceAll('_', ' ');

function noteOf(task: TaskCard, now: number): string {
  const due =
    task.deadline &&
    (task.overdue ? `overdue, was due ${relativeIso(task.deadline, now)}` : `due ${relativeIso(task.deadline, now)}`);
  switch (task.state) {
    case 'ready':
      return due ?? '';
    case 'waiting':
      return join(waitsFor(task), task.not_before && `starts ${relativeIso(task.not_before, now)}`, due);
    case 'in_progress':
      return join(task.worker, task.claimed_at && `since ${relativeIso(task.claimed_at, now)}`, due);
    case 'failed':
      return join(relativeIso(task.completed_at, now), task.error);
    default:
      return join(relativeIso(task.completed_at, now), task.skipped && 'skipped');
  }
}

function waitsFor({ waits_for = 0, failed_dependencies = 0 }: TaskCard): string | undefined {
  if (waits_for === 0) return undefined;
  const failed = failed_dependencies === 0 ? '' : `, ${failed_dependencies} of them failed`;
  return `waits for ${waits_for} ${waits_for === 1 ? 'task' : 'tasks'}${failed}`;
}

function join(...parts: (string | false | undefined)[]): string {
  return parts.filter((part) => part).join(', ');
}
