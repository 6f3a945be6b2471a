import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Board, TaskCard, TaskState } from '../../../http/page/tasks.js';
import { go, Link, queryText } from '../../location.js';
import { shownCount } from '../../ui/format.js';
import { useJustChanged } from '../../ui/just-changed.js';
import { Menu } from '../../ui/menu.js';
import type { Selection } from '../../ui/selection.js';
import { StateIcon, stateWords, taskStates } from '../../ui/state.js';
import { useStored } from '../../ui/stored.js';
import { versionOf } from '../../ui/task-table.js';
import { Card } from './card.js';
import { type Lane, lanesOf } from './lanes.js';
import { type Movable, movesOf, moveTo, useMove } from './moves.js';

interface ColumnsProps {
  board: Pick<Board, 'counts' | 'columns'>;
  query: URLSearchParams;
  /** Without it, nothing can be moved. */
  selection: Selection | undefined;
  /** What stands in the head of a column beside its name. */
  extra?(state: TaskState): ComponentChildren;
}

const foldedAtFirst: readonly TaskState[] = ['completed', 'cancelled'];

const movable = ({ id, title, state, worker }: TaskCard): Movable => ({
  id,
  title,
  state,
  ...(state === 'in_progress' ? { holder: worker } : {}),
});

/** A column for each state, with its first tasks and a link to all of them, so that a large board stays quick. */
export function Columns({ board: { counts, columns }, query, selection, extra }: ColumnsProps) {
  const [folded, setFolded] = useStored('folded columns', foldedAtFirst);
  const [dragged, setDragged] = useState<TaskCard>();
  const [menu, setMenu] = useState<{ task: TaskCard; anchor: HTMLElement }>();
  const { begin, dialog } = useMove();
  const changed = useJustChanged(queryText(query), Object.values(columns).flat().map(versionOf));
  const toggle = (state: TaskState) =>
    setFolded(folded.includes(state) ? folded.filter((one) => one !== state) : [...folded, state]);
  const lanes = lanesOf(query.get('by') ?? '', columns);
  const hasGoal = !query.has('goal') && query.get('by') !== 'goal';
  const widths = widthsOf(folded);

  const cardsOf = (tasks: readonly TaskCard[]) =>
    tasks.map((task) => (
      <Card
        key={task.id}
        task={task}
        query={query}
        isChanged={changed.has(task.id)}
        hasGoal={hasGoal}
        selection={selection}
        onDrag={setDragged}
        onMenu={(chosen, anchor) => setMenu({ task: chosen, anchor })}
      />
    ));
  const column = (state: TaskState, tasks: readonly TaskCard[], head: ComponentChildren, foot: ComponentChildren) => {
    const move = dragged && moveTo(dragged.state, state);
    return (
      <Column
        key={state}
        state={state}
        isFolded={folded.includes(state)}
        dropWord={dragged && (move?.label ?? '')}
        onDrop={() => {
          if (dragged && move) begin(movable(dragged), move);
          setDragged(undefined);
        }}
        head={head}
        foot={foot}
      >
        {cardsOf(tasks)}
      </Column>
    );
  };
  const head = (state: TaskState) => (
    <Head
      state={state}
      count={counts[state]}
      address={listOf(state, query)}
      isFolded={folded.includes(state)}
      onFold={() => toggle(state)}
      extra={extra?.(state)}
    />
  );
  const more = (state: TaskState) =>
    counts[state] > columns[state].length && (
      <Link to={listOf(state, query)} class="more">
        {shownCount(counts[state] - columns[state].length)} more
      </Link>
    );
  return (
    <div class={selection && selection.ids.size > 0 ? 'board is-selecting' : 'board'}>
      <div class="columns" style={widths}>
        {taskStates.map((state) =>
          lanes ? (
            <div key={state} class={`column head-only ${state}${folded.includes(state) ? ' folded' : ''}`}>
              {head(state)}
            </div>
          ) : (
            column(state, columns[state], head(state), more(state))
          ),
        )}
      </div>
      {lanes?.map((lane) => (
        <section key={lane.key} class="swimlane" aria-labelledby={laneId(lane)}>
          <h3 id={laneId(lane)}>{lane.title}</h3>
          <div class="columns" style={widths}>
            {taskStates.map((state) =>
              column(
                state,
                lane.columns[state].slice(0, mostInCell),
                null,
                <Rest lane={lane} state={state} query={query} />,
              ),
            )}
          </div>
        </section>
      ))}
      {menu && (
        <Menu
          label={`Move task ${menu.task.id}`}
          anchor={menu.anchor}
          onClose={() => setMenu(undefined)}
          items={[
            ...movesOf(menu.task.state).map((move) => ({
              label: `${move.label} → ${stateWords[move.to]}`,
              isDestructive: move.isDestructive ?? false,
              run: () => begin(movable(menu.task), move),
            })),
            { label: 'Open', run: () => go(`/board/task/${menu.task.id}${queryText(query)}`) },
          ]}
        />
      )}
      {dialog}
    </div>
  );
}

const laneId = ({ key }: Lane): string => `lane-${encodeURIComponent(key)}`;

const gap = 0.6;
const least = 13.5;
const foldedWidth = 2.75;

/** Columns do not become too narrow to read; the board is scrolled instead. */
function widthsOf(folded: readonly TaskState[]) {
  const widths = taskStates.map((state) => (folded.includes(state) ? foldedWidth : least));
  const all = widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1);
  return {
    gridTemplateColumns: widths
      .map((width) => (width === foldedWidth ? `${width}rem` : `minmax(${width}rem, 1fr)`))
      .join(' '),
    minWidth: `${all}rem`,
  };
}

const mostInCell = 6;

/** The rest of a cell, which has a list of its own. */
function Rest({ lane, state, query }: { lane: Lane; state: TaskState; query: URLSearchParams }) {
  if (lane.columns[state].length <= mostInCell) return null;
  return (
    <Link to={listOf(state, query, lane.filter)} class="more">
      More
    </Link>
  );
}

const listOf = (state: TaskState, query: URLSearchParams, more: Record<string, string> = {}): string =>
  `/board${queryText(query, { ...more, state, view: 'list' })}`;

interface HeadProps {
  state: TaskState;
  count: number;
  address: string;
  isFolded: boolean;
  onFold(): void;
  extra: ComponentChildren;
}

function Head({ state, count, address, isFolded, onFold, extra }: HeadProps) {
  return (
    <>
      <h2 id={`column-${state}`}>
        <Link to={address} class="plain">
          <StateIcon state={state} />
          <span class="column-name">{stateWords[state]}</span> <b>{shownCount(count)}</b>
        </Link>
        <button
          type="button"
          class="fold"
          aria-expanded={!isFolded}
          aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${stateWords[state]}`}
          onClick={onFold}
        >
          {isFolded ? '›' : '‹'}
        </button>
      </h2>
      {!isFolded && extra}
    </>
  );
}

interface ColumnProps {
  state: TaskState;
  isFolded: boolean;
  /** While a card is dragged: what dropping it here does, or nothing if it must not be dropped here. */
  dropWord: string | undefined;
  onDrop(): void;
  head: ComponentChildren;
  foot: ComponentChildren;
  children: ComponentChildren;
}

function Column({ state, isFolded, dropWord, onDrop, head, foot, children }: ColumnProps) {
  const [isOver, setOver] = useState(false);
  const drop = dropWord === undefined ? '' : dropWord === '' ? ' no-drop' : isOver ? ' drop over' : ' drop';
  return (
    <section
      class={`column ${state}${isFolded ? ' folded' : ''}${drop}`}
      aria-labelledby={`column-${state}`}
      onDragOver={(event) => {
        if (!dropWord) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onDrop();
      }}
    >
      {head}
      {dropWord && <p class="drop-word">{dropWord}</p>}
      {!isFolded && <ol>{children}</ol>}
      {!isFolded && foot}
    </section>
  );
}
