import type { ShownTask } from '../../../tools/shapes/task.js';

export const usualPriority = 5;

export const priorities = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

export function priorityWords(priority: number): string {
  const words: Record<number, string> = { 10: '10, first', 5: '5, usual', 1: '1, last' };
  return words[priority] ?? String(priority);
}

export type FailurePolicy = NonNullable<ShownTask['on_dependency_failure']>;

export const failurePolicyWords: Readonly<Record<FailurePolicy, string>> = {
  block: 'it waits',
  skip: 'it is skipped',
  cancel: 'it is cancelled',
  run: 'it is done all the same',
};
