import type { TaskSummary } from '../../../http/page/tasks.js';
import type { ShownTokens } from '../../../tools/shapes/goal.js';
import { costWords, shownCount } from '../../ui/format.js';
import { StateBar, totalOf } from '../../ui/state.js';

/** The progress of a goal and its tokens. */
export function Progress({ goal }: { goal: TaskSummary & { tokens?: ShownTokens | undefined } }) {
  const { counts, tokens } = goal;
  const total = totalOf(goal) - counts.cancelled;
  const percent = total === 0 ? 0 : Math.floor((counts.completed / total) * 100);
  const parts = [
    total === 0 ? 'no tasks yet' : `${shownCount(counts.completed)} of ${shownCount(total)} done, ${percent} %`,
    counts.in_progress > 0 && `${shownCount(counts.in_progress)} in progress`,
    counts.ready > 0 && `${shownCount(counts.ready)} ready`,
    counts.failed > 0 && `${shownCount(counts.failed)} failed`,
  ].filter(Boolean);
  return (
    <div class="progress">
      <StateBar summary={goal} />
      <span class="progress-words">
        <span>{parts.join(' · ')}</span>
        {tokens && (tokens.budget !== null || tokens.spent > 0 || tokens.budget_usd !== undefined) && (
          <TokenWords {...tokens} />
        )}
      </span>
    </div>
  );
}

function TokenWords({ budget, spent, reserved, ...money }: ShownTokens) {
  const used = spent + reserved;
  const isShort = budget !== null && used >= budget * 0.9;
  const reservedWords = reserved > 0 ? ` (${shownCount(reserved)} of them reserved)` : '';
  return (
    <span class={isShort ? 'fact bad' : 'fact'}>
      {shownCount(used)}
      {budget !== null && ` of ${shownCount(budget)}`} tokens{reservedWords}
      {money.cost_usd !== undefined && `, ${costWords(money)}`}
      {money.budget_usd !== undefined && ` of $${money.budget_usd}`}
    </span>
  );
}
