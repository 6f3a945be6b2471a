import { useState } from 'preact/hooks';
import type { BoardChoices, Board as BoardRead, TaskPage } from '../../../http/page/tasks.js';
import { type Arguments, useMayWrite } from '../../api.js';
import { filter, Link, queryText, type ViewProps } from '../../location.js';
import { Choice } from '../../ui/choice.js';
import { useSelection } from '../../ui/selection.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { isTaskState, taskStates, totalOf } from '../../ui/state.js';
import { TaskTable } from '../../ui/task-table.js';
import { useRead } from '../../use-read.js';
import { AddTask } from './add-task.js';
import { BulkBar, BulkDialog } from './bulk.js';
import { Columns } from './columns.js';
import { choicesRead, Filters, filterArguments, hasFilter, StateTabs } from './filters.js';
import { groupings } from './lanes.js';
import { Task } from './task.js';

/** A page that hears of no changes asks for them. */
const options = { subjects: ['task', 'runtime'], unheardMs: 30_000, keepsLast: true };
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
        {!isList && <Choice name="by" any="Not grouped" query={query} choices={groupings} />}
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
      {isList ? <AsList query={query} choices={choices.data} /> : <AsColumns query={query} choices={choices.data} />}
    </>
  );
}

interface ShapeProps {
  query: URLSearchParams;
  choices: BoardChoices | undefined;
}

const mostInLanes = 100;

function AsColumns({ query, choices }: ShapeProps) {
  const mayWrite = useMayWrite();
  const where = filterArguments(query);
  const args = query.has('by') ? { ...where, limit: mostInLanes } : where;
  const reading = useRead<BoardRead>('page/board', args, options);
  const cards = reading.data ? taskStates.flatMap((state) => reading.data?.columns[state] ?? []) : [];
  const selection = useSelection(
    queryText(query),
    cards.map(({ id }) => id),
  );
  return (
    <Shown reading={reading}>
      {(board) => (
        <>
          <Overdue count={board.overdue} query={query} />
          {totalOf(board) === 0 ? (
            <Nothing query={query} />
          ) : (
            <Columns
              board={board}
              query={query}
              selection={mayWrite ? selection : undefined}
              extra={(state) =>
                mayWrite && state === 'failed' && board.counts.failed > 0 ? (
                  <ReopenFailed count={board.counts.failed} where={where} />
                ) : null
              }
            />
          )}
          {mayWrite && (
            <BulkBar selection={selection} total={totalOf(board)} filter={where} goals={choices?.goals ?? []} />
          )}
          <RawJson value={board} />
        </>
      )}
    </Shown>
  );
}

/** Gives all failed tasks of the filter another try. */
function ReopenFailed({ count, where }: { count: number; where: Arguments }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="small-button" onClick={() => setOpen(true)}>
        Retry all failed
      </button>
      {isOpen && (
        <BulkDialog
          change="reopen"
          chosen={{ count, choice: { filter: { ...where, state: 'failed' } } }}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  );
}

function AsList({ query, choices }: ShapeProps) {
  const mayWrite = useMayWrite();
  const state = query.get('state') ?? '';
  const before = query.get('before') ?? '';
  const where = { ...filterArguments(query), ...(isTaskState(state) ? { state } : {}) };
  const args = { ...where, ...(before === '' ? {} : { cursor: before }) };
  const reading = useRead<TaskPage>('page/tasks', args, options);
  const order = reading.data?.tasks.map(({ id }) => id) ?? [];
  const selection = useSelection(queryText(query, { before: '' }), order);
  return (
    <Shown reading={reading}>
      {(list) => (
        <>
          <StateTabs summary={list} state={state} />
          <Overdue count={list.overdue} query={query} />
          {list.tasks.length === 0 ? (
            <Nothing query={query} />
          ) : (
            <TaskTable
              tasks={list.tasks}
              query={queryText(query)}
              hasGoals
              selection={mayWrite ? selection : undefined}
            />
          )}
          <Pages path="/board" query={query} next={list.next_cursor} />
          {mayWrite && (
            <BulkBar
              selection={selection}
              total={isTaskState(state) ? list.counts[state] : totalOf(list)}
              filter={where}
              goals={choices?.goals ?? []}
            />
          )}
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
