import { filter } from '../../location.js';
import { shownCount, type TaskSummary, taskStates, totalOf } from '../../task-card.js';
import { StateIcon, stateWords } from '../../ui/state.js';

/** How many tasks are in each state, and which of them are listed. */
export function StateTabs({ summary, state }: { summary: TaskSummary; state: string }) {
  return (
    <fieldset class="tabs" aria-label="State">
      <button type="button" aria-pressed={state === ''} onClick={() => filter({ state: '', view: 'list', before: '' })}>
        All <b>{shownCount(totalOf(summary))}</b>
      </button>
      {taskStates.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={state === one}
          onClick={() => filter({ state: one, view: 'list', before: '' })}
        >
          <StateIcon state={one} />
          {stateWords[one]} <b>{shownCount(summary.counts[one])}</b>
        </button>
      ))}
    </fieldset>
  );
}
