import type { TaskState, TaskSummary } from '../../http/page/tasks.js';
import type { ShownTask } from '../../tools/shapes/task.js';
import { shownCount } from './format.js';

export const stateWords: Record<TaskState, string> = {
  ready: 'Ready',
  waiting: 'Waiting',
  in_progress: 'In progress',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The states in the order of the board. */
export const taskStates = Object.keys(stateWords) as readonly TaskState[];

/** The state that people see of a task: a pending one is ready or waiting. */
export const stateOf = ({ status, ready }: ShownTask): TaskState =>
  status === 'pending' ? (ready ? 'ready' : 'waiting') : status;

/** The number of tasks in all states. */
export const totalOf = ({ counts }: TaskSummary): number => taskStates.reduce((sum, state) => sum + counts[state], 0);

/** A shape for each state, so that colour is not needed to tell them apart: paths within a ring of 16 by 16. */
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

/** The state's icon without its word, which must stand beside it. */
export function StateIcon({ state }: { state: TaskState }) {
  return (
    <svg class={`state-icon ${state}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" />
      <path d={shapes[state]} />
    </svg>
  );
}

/** The state as icon and word. */
export function StateMark({ state }: { state: TaskState }) {
  return (
    <span class={`state ${state}`}>
      <StateIcon state={state} />
      {stateWords[state]}
    </span>
  );
}

type Tone = 'active' | 'warn' | 'good' | 'done' | 'bad' | 'calm';

/** The colour tone of each state. */
const tones: Readonly<Record<string, Tone>> = {
  running: 'active',
  in_progress: 'active',
  starting: 'active',
  half_open: 'warn',
  paused: 'warn',
  'awaiting approval': 'warn',
  stopping: 'warn',
  completed: 'done',
  closed: 'good',
  up: 'good',
  ready: 'good',
  passed: 'good',
  failed: 'bad',
  open: 'bad',
  down: 'bad',
  lost: 'bad',
  given_up: 'bad',
  needs_login: 'bad',
};

const toneOf = (word: string): Tone => tones[word.toLowerCase()] ?? 'calm';

/** The class of a row or card in a state: what is over is quiet, what failed or runs has an edge. */
export const toneClass = (state: string): string => `tone-${state === 'cancelled' ? 'done' : toneOf(state)}`;

/** A state as a word with a coloured dot. */
export function Status({ word }: { word: string }) {
  return <span class={`status ${toneOf(word)}`}>{word.toLowerCase().replaceAll('_', ' ')}</span>;
}

/** Progress as a bar of tasks by state, completed first. Cancelled ones are no part of the whole, as in the words. */
export function StateBar({ summary }: { summary: TaskSummary }) {
  const total = totalOf(summary) - summary.counts.cancelled;
  const order = ['completed', 'in_progress', 'ready', 'failed', 'waiting'] as const;
  const words = taskStates
    .filter((state) => summary.counts[state] > 0)
    .map((state) => `${shownCount(summary.counts[state])} ${stateWords[state].toLowerCase()}`);
  const label = words.length === 0 ? 'no tasks' : words.join(', ');
  return (
    <div class="bar" role="img" aria-label={label} title={label}>
      {order.map((state) => {
        const share = total === 0 ? 0 : (summary.counts[state] / total) * 100;
        return share > 0 && <span key={state} class={state} style={{ width: `${share}%` }} />;
      })}
    </div>
  );
}
