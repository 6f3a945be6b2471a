import { shownCount, type TaskSummary, totalOf } from '../../task-card.js';
import { StateBar } from '../../ui/state.js';

/** The progress of a goal and its tokens. */
export function Progress({ goal }: { goal: TaskSummary & { tokens?: Tokens | undefined } }) {
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
        {tokens && (tokens.budget !== null || tokens.spent > 0) && <TokenWords {...tokens} />}
      </span>
    </div>
  );
}

function TokenWords({ budget, spent, reserved }: Tokens) {
  const used = spent + reserved;
  const isShort = budget !== null && used >= budget * 0.9;
  const reservedWords = reserved > 0 ? ` (${shownCount(reserved)} of them reserved)` : '';
  return (
    <span class={isShort ? 'fact bad' : 'fact'}>
      {shownCount(used)}
      {budget !== null && ` of ${shownCount(budget)}`} tokens{reservedWords}
    </span>
  );
}

export interface Tokens {
  /** Absent: tokens are counted, but not limited. */
  budget: number | null;
  spent: number;
  reserved: number;
}

/** A goal as lists show it. Times are ISO 8601. */
export interface GoalLine extends TaskSummary {
  id: number;
  name: string;
  description: string;
  status: string;
  project?: string;
  created_at: string;
  completed_at?: string;
  tokens: Tokens;
}
