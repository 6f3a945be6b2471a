import type { TaskCard } from '../task-card.js';
import { Time } from './time.js';

/** What is to be known of a task at a glance, in small words: late, blocked, at work, tried before. */
export function TaskFacts({ task }: { task: TaskCard }) {
  const { state, priority, overdue, deadline, waits_for, failed_dependencies, worker, attempts, max_attempts } = task;
  const isOpen = state === 'ready' || state === 'waiting' || state === 'in_progress';
  return (
    <>
      {isOpen && priority !== 5 && (
        <span class={priority > 5 ? 'fact urgent' : 'fact'} title={`Priority ${priority} of 10`}>
          P{priority}
        </span>
      )}
      {overdue && deadline && (
        <span class="fact bad">
          overdue, <Time at={deadline} />
        </span>
      )}
      {isOpen && !overdue && deadline && (
        <span class="fact">
          due <Time at={deadline} />
        </span>
      )}
      {failed_dependencies !== undefined && <span class="fact bad">blocked by {failed_dependencies} failed</span>}
      {waits_for !== undefined && failed_dependencies === undefined && <span class="fact">waits for {waits_for}</span>}
      {state === 'waiting' && task.not_before && (
        <span class="fact">
          starts <Time at={task.not_before} />
        </span>
      )}
      {state === 'in_progress' && (
        <span class="fact worker" title={worker}>
          {worker} · <Time at={task.claimed_at} />
        </span>
      )}
      {task.skipped && <span class="fact">skipped</span>}
      {isOpen && attempts > 1 && (
        <span class="fact">
          attempt {attempts} of {max_attempts}
        </span>
      )}
      {(state === 'completed' || state === 'failed' || state === 'cancelled') && task.completed_at && (
        <span class="fact">
          {worker && `${worker} · `}
          <Time at={task.completed_at} />
        </span>
      )}
    </>
  );
}
