import { useState } from 'preact/hooks';
import type { GoalPage, GoalProgress } from '../../../http/page/goals.js';
import type { ShownGoal } from '../../../tools/shapes/goal.js';
import { useMayWrite, write } from '../../api.js';
import type { ViewProps } from '../../location.js';
import { filter, go, Link } from '../../location.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { Goal } from './goal.js';
import { Progress } from './progress.js';

const statuses = ['active', 'completed', 'cancelled'];
const firstCommand = "agent-runtime tool create_goal --arg name='Ship it' --arg description='The outcome to reach'";

/** The goals with their progress, or one goal in full. */
export function Goals({ rest, query }: ViewProps) {
  return rest === '' ? <AllGoals query={query} /> : <Goal id={rest} query={query} />;
}

function AllGoals({ query }: { query: URLSearchParams }) {
  const status = query.get('status') ?? '';
  const before = query.get('before') ?? '';
  const args = { ...(statuses.includes(status) ? { status } : {}), ...(before === '' ? {} : { cursor: before }) };
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
        <CreateGoal />
      </div>
      <Shown reading={reading}>
        {(list) => (
          <>
            {list.goals.length === 0 && status === '' && (
              <Empty what="No goals yet. A goal gathers tasks and shows how far they are." command={firstCommand} />
            )}
            {list.goals.length === 0 && status !== '' && (
              <div class="empty">
                <p>No goal is {status}.</p>
                <Link to="/goals">Show all</Link>
              </div>
            )}
            <ul class="goals">
              {list.goals.map((goal) => (
                <li key={goal.id}>
                  <GoalCard goal={goal} />
                </li>
              ))}
            </ul>
            <Pages path="/goals" query={query} next={list.next_cursor} />
            <RawJson value={list} />
          </>
        )}
      </Shown>
    </>
  );
}

function GoalCard({ goal }: { goal: GoalProgress }) {
  return (
    <Link to={`/goals/${goal.id}`} class="card goal-card">
      <span class="goal-name">
        <span class="card-title">{goal.name}</span>
        {goal.status !== 'active' && <span class={`badge ${goal.status}`}>{goal.status}</span>}
        <span class="fact id">#{goal.id}</span>
        {goal.overdue > 0 && <span class="fact bad">{goal.overdue} overdue</span>}
      </span>
      {goal.description && <span class="goal-about">{goal.description}</span>}
      <Progress goal={goal} />
    </Link>
  );
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
