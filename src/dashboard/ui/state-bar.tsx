import { shownCount, type TaskSummary, taskStates, totalOf } from '../task-card.js';
import { stateWords } from './state.js';

/** How far something is, as a bar of its tasks by state; what is done comes first. */
export function StateBar({ summary }: { summary: TaskSummary }) {
  const total = totalOf(summary);
  const order = ['completed', 'in_progress', 'ready', 'failed', 'waiting', 'cancelled'] as const;
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
