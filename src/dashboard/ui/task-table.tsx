import { Link } from '../location.js';
import type { TaskCard } from '../task-card.js';
import { StateMark } from './state.js';
import { TaskFacts } from './task-facts.js';

interface TaskTableProps {
  tasks: readonly TaskCard[];
  /** The query that a task's address keeps, so that one can go back to where one was. */
  query?: string;
  /** Names of goals by id, where tasks of several are shown. */
  goalNames?: ReadonlyMap<number, string>;
}

/** Tasks as rows. */
export function TaskTable({ tasks, query = '', goalNames }: TaskTableProps) {
  return (
    <table class="tasks">
      <thead>
        <tr>
          <th>State</th>
          <th class="number">Id</th>
          <th>Task</th>
          {goalNames && <th class="wide">Goal</th>}
          <th class="wide">Particulars</th>
        </tr>
      </thead>
      <tbody>
        {tasks.map((task) => (
          <tr key={task.id}>
            <td>
              <StateMark state={task.state} />
            </td>
            <td class="number quiet">{task.id}</td>
            <td>
              <Link to={`/board/task/${task.id}${query}`} class="title">
                {task.title}
              </Link>
              {task.key && <code class="key">{task.key}</code>}
              {task.error && <div class="error-line">{task.error}</div>}
            </td>
            {goalNames && (
              <td class="wide">
                {task.goal_id !== undefined && (
                  <Link to={`/goals/${task.goal_id}`} class="plain">
                    {goalNames.get(task.goal_id) ?? `Goal ${task.goal_id}`}
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
