import type { TaskCard } from '../../http/page/tasks.js';
import { Link } from '../location.js';
import { useJustChanged } from './just-changed.js';
import { Name } from './name.js';
import { Pick } from './pick.js';
import type { Selection } from './selection.js';
import { StateMark, toneClass } from './state.js';
import { Time } from './time.js';

interface TaskTableProps {
  tasks: readonly TaskCard[];
  /** The query that a task's address keeps, so that closing it returns to the same list. */
  query?: string;
  /** Which list it is, so that the tasks of another one are not marked as new; the query unless given. */
  scope?: string;
  /** Whether tasks of several goals are shown. */
  hasGoals?: boolean;
  /** Which rows are selected; without it they have no boxes. */
  selection?: Selection | undefined;
}

/** Tasks as rows. */
export function TaskTable({ tasks, query = '', scope = query, hasGoals = false, selection }: TaskTableProps) {
  const changed = useJustChanged(scope, tasks.map(versionOf));
  const classOf = (task: TaskCard) => `${toneClass(task.state)}${changed.has(task.id) ? ' just-changed' : ''}`;
  return (
    <table class="tasks">
      <thead>
        <tr>
          {selection && (
            <th class="of-pick">
              <span class="unseen">Selected</span>
            </th>
          )}
          <th class="of-state">State</th>
          <th class="number of-id">Id</th>
          <th>Task</th>
          {hasGoals && <th class="wide">Goal</th>}
          <th class="wide">Particulars</th>
        </tr>
      </thead>
      <tbody>
        {tasks.map((task) => (
          <tr key={task.id} class={classOf(task)}>
            {selection && (
              <td class="of-pick">
                <Pick id={task.id} title={task.title} selection={selection} />
              </td>
            )}
            <td class="of-state">
              <StateMark state={task.state} />
            </td>
            <td class="number quiet of-id">{task.id}</td>
            <td class="of-task">
              <Link to={`/board/task/${task.id}${query}`} class="title">
                <bdi>{task.title}</bdi>
              </Link>
              {task.key && <code class="key">{task.key}</code>}
              {task.error && (
                <div class="error-line" dir="auto">
                  {task.error}
                </div>
              )}
            </td>
            {hasGoals && (
              <td class="wide">
                {task.goal_id !== undefined && (
                  <Link to={`/goals/${task.goal_id}`} class="plain">
                    <Name of={`goal:${task.goal_id}`} isLinked={false} />
                  </Link>
                )}
              </td>
            )}
            <td class="facts wide">
              <TaskFacts task={task} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A task by its id, and what of it is worth a mark when it changes. */
export const versionOf = ({ id, state, worker, priority }: TaskCard): [id: number, version: string] => [
  id,
  `${state} ${worker} ${priority}`,
];

/** The facts of a task at a glance: overdue, blocked, claimed, attempts. */
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
        <span class="fact worker">
          {worker && <Name of={worker} isLinked={false} />} · <Time at={task.claimed_at} />
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
          {worker && (
            <>
              <Name of={worker} isLinked={false} /> ·{' '}
            </>
          )}
          <Time at={task.completed_at} />
        </span>
      )}
    </>
  );
}
