import type { GoalGraph } from '../../../http/page/goals.js';
import type { TaskCard, TaskPage } from '../../../http/page/tasks.js';
import type { ShownGoal } from '../../../tools/shapes/goal.js';
import { filter, Link } from '../../location.js';
import { usePageTitle } from '../../shell/page-title.js';
import { History } from '../../ui/history.js';
import { ReadTimeline } from '../../ui/read-timeline.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { TaskTable } from '../../ui/task-table.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { GoalActions } from './goal-actions.js';
import { GoalRun } from './goal-run.js';
import { Graph } from './graph.js';
import { Progress } from './progress.js';

const subjects = ['task', 'goal', 'runtime'];
const mostTasks = 100;
const mostDrawn = 1_000;

/** One goal: its progress, its tasks, and their dependency graph. */
export function Goal({ id, query }: { id: string; query: URLSearchParams }) {
  const goalId = Number(id);
  const reading = useRead<ShownGoal>('get_goal', { goal_id: goalId, fields: 'full' }, { subjects });
  usePageTitle(reading.data?.name);
  return (
    <>
      <Link to="/goals" class="back">
        ← Goals
      </Link>
      <Shown reading={reading}>{(goal) => <Sheet goal={goal} isOpenOnly={query.has('open')} />}</Shown>
    </>
  );
}

function Sheet({ goal, isOpenOnly }: { goal: ShownGoal; isOpenOnly: boolean }) {
  const tasks = useRead<TaskPage>('page/tasks', { goal_id: goal.id, limit: mostTasks }, { subjects });
  const graph = useRead<GoalGraph>(
    'page/goal_graph',
    { goal_id: goal.id, open_only: isOpenOnly, limit: mostDrawn },
    { subjects, keepsLast: true },
  );
  return (
    <article class="sheet">
      <header class="sheet-head">
        <h2 dir="auto">{goal.name}</h2>
        <GoalActions goal={goal} />
      </header>
      <GoalFacts goal={goal} />
      <GoalRun goalId={goal.id} isRunning={goal.run_id !== undefined} />
      {tasks.data && <Progress goal={{ ...tasks.data, tokens: goal.tokens }} />}
      {goal.description && <pre class="passage">{goal.description}</pre>}
      <section>
        <div class="section-head">
          <h3>Order of work</h3>
          <label>
            <input
              type="checkbox"
              checked={isOpenOnly}
              onChange={(event) => filter({ open: event.currentTarget.checked ? '1' : '' })}
            />
            only what is open
          </label>
        </div>
        <Shown reading={graph}>{(drawn) => <Graph {...drawn} />}</Shown>
      </section>
      <ReadTimeline title="Tasks in time" of={{ goal_id: goal.id }} subjects={subjects} />
      <section>
        <div class="section-head">
          <h3>Tasks</h3>
          <Link to={`/board?goal=${goal.id}`}>On the board</Link>
        </div>
        <Shown reading={tasks}>{(list) => <GoalTasks goalId={goal.id} tasks={list.tasks} />}</Shown>
      </section>
      <History subject="goal" id={goal.id} />
      <RawJson value={{ ...goal, graph: graph.data }} />
    </article>
  );
}

function GoalFacts({ goal }: { goal: ShownGoal }) {
  return (
    <p class="quiet goal-line">
      Goal {goal.id} <span class={`badge ${goal.status}`}>{goal.status}</span>
      {goal.project && <span>{goal.project}</span>}
      <span>
        created <Time at={goal.created_at} />
      </span>
      {goal.completed_at && (
        <span>
          ended <Time at={goal.completed_at} />
        </span>
      )}
    </p>
  );
}

function GoalTasks({ goalId, tasks }: { goalId: number; tasks: readonly TaskCard[] }) {
  if (tasks.length === 0) {
    return <p class="quiet">It has no tasks yet. Add one, or ask a session to decompose goal {goalId}.</p>;
  }
  return (
    <>
      <TaskTable tasks={tasks} />
      {tasks.length === mostTasks && (
        <p>
          <Link to={`/board?goal=${goalId}&view=list`}>All of its tasks</Link>
        </p>
      )}
    </>
  );
}
