import type { BoardChoices, Board as BoardRead, TaskCard, TaskPage, TaskState } from '../../../http/page/tasks.js';
import { filter, Link, queryText, type ViewProps } from '../../location.js';
import { shownCount } from '../../ui/format.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { isTaskState, StateIcon, stateWords, taskStates, totalOf } from '../../ui/state.js';
import { TaskFacts, TaskTable } from '../../ui/task-table.js';
import { useRead } from '../../use-read.js';
import { AddTask } from './add-task.js';
import { choicesRead, Filters, filterArguments, hasFilter, StateTabs } from './filters.js';
import { Task } from './task.js';

/** A task becomes ready or overdue without a change, so the board is also read at an interval. */
const options = { subjects: ['task', 'runtime'], everyMs: 30_000, keepsLast: true };
const firstCommand = "agent-runtime tool create_task --arg title='Write the tests'";

/** The board: tasks by state as columns, or as a list, or one task. */
export function Board({ rest, ...place }: ViewProps) {
  const [kind, ...reference] = rest.split('/');
  if (kind === 'task') return <Task reference={reference.join('/')} query={place.query} />;
  return <AllTasks query={place.query} />;
}

function AllTasks({ query }: { query: URLSearchParams }) {
  const choices = useRead<BoardChoices>('page/board_choices', {}, choicesRead);
  const state = query.get('state') ?? '';
  const isList = query.get('view') === 'list' || isTaskState(state);
  return (
    <>
      <div class="toolbar">
        <Filters query={query} choices={choices.data} />
        <fieldset class="switch" aria-label="Shown as">
          <button type="button" aria-pressed={!isList} onClick={() => filter({ view: '', state: '', before: '' })}>
            Columns
          </button>
          <button type="button" aria-pressed={isList} onClick={() => filter({ view: 'list' })}>
            List
          </button>
        </fieldset>
        <AddTask goals={choices.data?.goals} goalId={query.get('goal') ?? ''} />
      </div>
      {isList ? <AsList query={query} choices={choices.data} /> : <AsColumns query={query} />}
    </>
  );
}

function AsColumns({ query }: { query: URLSearchParams }) {
  const reading = useRead<BoardRead>('page/board', filterArguments(query), options);
  return (
    <Shown reading={reading}>
      {(board) => (
        <>
          <Overdue count={board.overdue} query={query} />
          {totalOf(board) === 0 ? <Nothing query={query} /> : <Columns {...board} query={query} />}
          <RawJson value={board} />
        </>
      )}
    </Shown>
  );
}

function AsList({ query, choices }: { query: URLSearchParams; choices: BoardChoices | undefined }) {
  const state = query.get('state') ?? '';
  const before = query.get('before') ?? '';
  const args = {
    ...filterArguments(query),
    ...(isTaskState(state) ? { state } : {}),
    ...(before === '' ? {} : { cursor: before }),
  };
  const reading = useRead<TaskPage>('page/tasks', args, options);
  const goalNames = new Map(choices?.goals.map(({ id, name }) => [id, name]));
  return (
    <Shown reading={reading}>
      {(list) => (
        <>
          <StateTabs summary={list} state={state} />
          <Overdue count={list.overdue} query={query} />
          {list.tasks.length === 0 ? (
            <Nothing query={query} />
          ) : (
            <TaskTable tasks={list.tasks} query={queryText(query)} goalNames={goalNames} />
          )}
          <Pages path="/board" query={query} next={list.next_cursor} />
          <RawJson value={list} />
        </>
      )}
    </Shown>
  );
}

/** The number of overdue tasks, and the switch to show only those. */
function Overdue({ count, query }: { count: number; query: URLSearchParams }) {
  const isOn = query.has('overdue');
  if (count === 0 && !isOn) return null;
  return (
    <button
      type="button"
      class="overdue"
      aria-pressed={isOn}
      onClick={() => filter({ overdue: isOn ? '' : '1', before: '' })}
    >
      {count} {count === 1 ? 'task is' : 'tasks are'} overdue
    </button>
  );
}

/** The empty state: either there are no tasks at all, or none passes the filter. */
function Nothing({ query }: { query: URLSearchParams }) {
  if (!hasFilter(query)) {
    return <Empty what="The board is empty. Tasks that any session creates are shown here." command={firstCommand} />;
  }
  return (
    <div class="empty">
      <p>No task matches.</p>
      <Link to={query.get('view') === 'list' ? '/board?view=list' : '/board'}>Show all</Link>
    </div>
  );
}

interface ColumnsProps extends Pick<BoardRead, 'counts' | 'columns'> {
  query: URLSearchParams;
}

/** A column for each state, with its first tasks and a link to all of them, so that a large board stays quick. */
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
