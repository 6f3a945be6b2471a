import { type TaskState, taskStates } from '../task-card.js';

export const stateWords: Record<TaskState, string> = {
  ready: 'Ready',
  waiting: 'Waiting',
  in_progress: 'In progress',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** A shape for each state, so that nobody needs the colour: what is drawn within a ring of 16 by 16. */
const shapes: Record<TaskState, string> = {
  ready: 'M8 8h.01',
  waiting: 'M8 4.8V8l2.2 1.4',
  in_progress: 'M6.6 5.4 10.4 8l-3.8 2.6z',
  completed: 'm5 8.2 2.1 2.1 4-4.4',
  failed: 'm5.7 5.7 4.6 4.6m0-4.6-4.6 4.6',
  cancelled: 'M5 8h6',
};

export function isTaskState(word: string): word is TaskState {
  return taskStates.some((state) => state === word);
}

/** The state's sign alone; its word stands beside it or in what it is a part of. */
export function StateIcon({ state }: { state: TaskState }) {
  return (
    <svg class={`sign ${state}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" />
      <path d={shapes[state]} />
    </svg>
  );
}

/** The state in sign and word. */
export function StateMark({ state }: { state: TaskState }) {
  return (
    <span class={`state ${state}`}>
      <StateIcon state={state} />
      {stateWords[state]}
    </span>
  );
}
