import { Link, queryText } from '../../location.js';
import { shownCount, type TaskCard, type TaskState, taskStates } from '../../task-card.js';
import { StateIcon, stateWords } from '../../ui/state.js';
import { TaskFacts } from '../../ui/task-facts.js';

interface ColumnsProps {
  counts: Record<TaskState, number>;
  /** The first of each state. */
  columns: Record<TaskState, TaskCard[]>;
  query: URLSearchParams;
}

/** A column for each state. Each shows the first of its tasks and leads to all of them, so that no board is too large. */
export function Columns({ counts, columns, query }: ColumnsProps) {
  return (
    <div class="columns">
      {taskStates.map((state) => (
        <section key={state} class={`column ${state}`} aria-labelledby={`column-${state}`}>
          <h2 id={`column-${state}`}>
            <Link to={listOf(state, query)} class="plain">
              <StateIcon state={state} />
              {stateWords[state]} <b>{shownCount(counts[state])}</b>
            </Link>
          </h2>
          <ol>
            {columns[state].map((task) => (
              <li key={task.id}>
                <Card task={task} query={query} />
              </li>
            ))}
          </ol>
          {counts[state] > columns[state].length && (
            <Link to={listOf(state, query)} class="more">
              {shownCount(counts[state] - columns[state].length)} more
            </Link>
          )}
        </section>
      ))}
    </div>
  );
}

function Card({ task, query }: { task: TaskCard; query: URLSearchParams }) {
  return (
    <Link to={`/board/task/${task.id}${queryText(query)}`} class="card">
      <span class="card-title">{task.title}</span>
      {task.error && <span class="error-line">{task.error}</span>}
      <span class="facts">
        <span class="fact id">{task.key ?? `#${task.id}`}</span>
        <TaskFacts task={task} />
      </span>
    </Link>
  );
}

const listOf = (state: TaskState, query: URLSearchParams): string =>
  `/board${queryText(query, { state, view: 'list' })}`;
