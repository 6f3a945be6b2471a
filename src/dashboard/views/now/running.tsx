import type { RunningItem } from '../../../http/page/now.js';
import { Link } from '../../location.js';
import { percent, spanOf } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { useNow } from '../../ui/time.js';

/** What is being worked on, one row each. */
export function Running({ items, total }: { items: readonly RunningItem[]; total: number }) {
  const now = useNow(1_000);
  return (
    <>
      <ul class="running">
        {items.map((item) => (
          <li key={`${item.kind}:${item.id}`} class={item.kind}>
            <span class="kind">{kindWords[item.kind]}</span>
            <Link to={addressOf(item)} class="title">
              {item.name}
            </Link>
            <span class="elapsed">{spanOf(item.since, null, now)}</span>
            <Facts item={item} />
            {item.progress !== undefined && (
              <progress
                aria-label={`Progress of ${item.name}`}
                value={item.progress}
                max={1}
                title={percent(item.progress, 0.01)}
              />
            )}
            {item.last_line && <code class="last-line">{item.last_line}</code>}
          </li>
        ))}
      </ul>
      {total > items.length && <p class="quiet">And {total - items.length} more.</p>}
    </>
  );
}

const kindWords: Record<RunningItem['kind'], string> = {
  task: 'Task',
  job: 'Job',
  run: 'Goal run',
  step: 'Relay step',
};

function addressOf({ kind, id, goal_id, relay }: RunningItem): string {
  if (kind === 'task') return `/board/task/${id}`;
  if (kind === 'run' && goal_id !== undefined) return `/goals/${goal_id}`;
  if (kind === 'step' && relay) return `/relays/${encodeURIComponent(relay.id)}`;
  return `/jobs/${encodeURIComponent(id)}`;
}

function Facts({ item }: { item: RunningItem }) {
  const { worker, model, type, relay, goal_name, goal_id, attempt, progress_message } = item;
  return (
    <span class="facts quiet">
      {relay && (
        <span>
          step {relay.step} of {relay.steps}
          {relay.agent && `, ${relay.agent}`}
        </span>
      )}
      {item.kind === 'job' && <span>{type}</span>}
      {goal_id !== undefined && goal_name && <Link to={`/goals/${goal_id}`}>{goal_name}</Link>}
      {worker && <Name of={worker} />}
      {model && <span>{model}</span>}
      {attempt !== undefined && <span>attempt {attempt}</span>}
      {progress_message && <span>{progress_message}</span>}
    </span>
  );
}
