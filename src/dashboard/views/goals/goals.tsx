import { useState } from 'preact/hooks';
import type { GoalPage, GoalProgress } from '../../../http/page/goals.js';
import type { ShownGoal } from '../../../tools/shapes/goal.js';
import { useMayWrite, write } from '../../api.js';
import type { ViewProps } from '../../location.js';
import { filter, go, Link } from '../../location.js';
import { Choice } from '../../ui/choice.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { useJustChanged } from '../../ui/just-changed.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { SearchText } from '../board/filters.js';
import { Goal } from './goal.js';
import { Progress } from './progress.js';

const statuses = ['active', 'completed', 'cancelled'];
const orders = [
  { value: 'newest', words: 'Newest first' },
  { value: 'name', words: 'By name' },
];
const firstCommand = "agent-runtime tool create_goal --arg name='Ship it' --arg description='The outcome to reach'";

/** The goals with their progress, or one goal in full. */
export function Goals({ rest, query }: ViewProps) {
  return rest === '' ? <AllGoals query={query} /> : <Goal id={rest} query={query} />;
}

function AllGoals({ query }: { query: URLSearchParams }) {
  const status = query.get('status') ?? '';
  const before = query.get('before') ?? '';
  const text = query.get('text') ?? '';
  const args = {
    order: orders.find(({ value }) => value === query.get('order'))?.value ?? 'attention',
    ...(statuses.includes(status) ? { status } : {}),
    ...(text === '' ? {} : { text }),
    ...(before === '' ? {} : { cursor: before }),
  };
  const reading = useRead<GoalPage>('page/goals', args, { subjects: ['goal', 'task', 'runtime'], keepsLast: true });
  return (
    <>
      <div class="toolbar">
        <fieldset class="tabs" aria-label="Status">
          {['', ...statuses].map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={status === one}
              onClick={() => filter({ status: one, before: '' })}
            >
              {one === '' ? 'All' : `${one.charAt(0).toUpperCase()}${one.slice(1)}`}
            </button>
          ))}
        </fieldset>
        <SearchText text={text} placeholder="Find goals…" />
        <Choice name="order" any="Needs attention first" query={query} choices={orders} />
        <CreateGoal />
      </div>
      <Shown reading={reading}>
        {(list) => (
          <>
            {list.goals.length === 0 && status === '' && text === '' && (
              <Empty what="No goals yet. A goal gathers tasks and shows how far they are." command={firstCommand} />
            )}
            {list.goals.length === 0 && (status !== '' || text !== '') && (
              <div class="empty">
                <p>{text === '' ? `No goal is ${status}.` : 'No goal matches.'}</p>
                <Link to="/goals">Show all</Link>
              </div>
            )}
            {list.goals.length > 0 && <GoalTable goals={list.goals} scope={JSON.stringify(args)} />}
            <Pages path="/goals" query={query} next={list.next_cursor} />
            <RawJson value={list} />
          </>
        )}
      </Shown>
    </>
  );
}

function GoalTable({ goals, scope }: { goals: readonly GoalProgress[]; scope: string }) {
  const changed = useJustChanged(
    scope,
    goals.map((goal) => [goal.id, `${goal.status} ${JSON.stringify(goal.counts)}`]),
  );
  return (
    <table class="goals">
      <thead>
        <tr>
          <th>Goal</th>
          <th class="of-progress">Progress</th>
          <th class="of-created">Created</th>
        </tr>
      </thead>
      <tbody>
        {goals.map((goal) => (
          <tr key={goal.id} class={`${toneOf(goal)}${changed.has(goal.id) ? ' just-changed' : ''}`}>
            <td>
              <span class="goal-name">
                <Link to={`/goals/${goal.id}`} class="title">
                  <bdi>{goal.name}</bdi>
                </Link>
                {goal.status !== 'active' && <span class={`badge ${goal.status}`}>{goal.status}</span>}
                <span class="fact id">#{goal.id}</span>
                {goal.overdue > 0 && <span class="fact bad">{goal.overdue} overdue</span>}
              </span>
              {goal.description && (
                <span class="goal-about" dir="auto">
                  {goal.description}
                </span>
              )}
            </td>
            <td class="of-progress">
              <Progress goal={goal} />
            </td>
            <td class="of-created quiet">
              <Time at={goal.created_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is over is quiet; what has failed tasks or late ones has an edge. */
function toneOf({ status, counts, overdue }: GoalProgress): string {
  if (status !== 'active') return 'tone-done';
  if (counts.failed + overdue > 0) return 'tone-bad';
  return counts.in_progress > 0 ? 'tone-active' : '';
}

function CreateGoal() {
  const [isOpen, setOpen] = useState(false);
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const close = () => setOpen(false);
  const create = async (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const budget = text('token_budget');
    const goal = await write<ShownGoal>('create_goal', {
      name: text('name'),
      description: text('description'),
      ...(text('project') === '' ? {} : { project: text('project') }),
      ...(budget === '' ? {} : { token_budget: Number(budget) }),
    });
    go(`/goals/${goal.id}`);
    return `Goal ${goal.id} is there. Add its tasks, or let a session decompose it.`;
  };
  return (
    <>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        Create goal
      </button>
      {isOpen && (
        <Dialog title="Create a goal" onClose={close}>
          <ActionForm label="Create" onSubmit={create} onClose={close}>
            <label>
              Name
              <input name="name" required maxLength={500} />
            </label>
            <label>
              Description
              <textarea
                name="description"
                rows={5}
                maxLength={100_000}
                placeholder="The outcome, and anything a planner should know"
              />
            </label>
            <div class="pair">
              <label>
                Project
                <input name="project" maxLength={1_000} placeholder="its directory; none unless given" />
              </label>
              <label>
                Token budget
                <input name="token_budget" type="number" min={0} max={1_000_000_000} placeholder="no limit" />
              </label>
            </div>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
