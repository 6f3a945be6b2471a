import type { ComponentChildren } from 'preact';
import type { Board, TaskCard } from '../../../http/page/tasks.js';
import { Link } from '../../location.js';
import { Name } from '../../ui/name.js';
import { taskStates } from '../../ui/state.js';

type ColumnCards = Board['columns'];

/** A row of the board: the cards of one goal or worker. */
export interface Lane {
  key: string;
  title: ComponentChildren;
  /** The filter that has only its tasks. */
  filter: Record<string, string>;
  columns: ColumnCards;
}

/** What the board can be grouped by. */
export const groupings = [
  { value: 'goal', words: 'By goal' },
  { value: 'worker', words: 'By worker' },
];

const laneOf: Readonly<Record<string, (task: TaskCard) => string | undefined>> = {
  goal: ({ goal_id }) => (goal_id === undefined ? undefined : `goal:${goal_id}`),
  worker: ({ worker }) => worker,
};

const without: Readonly<Record<string, string>> = { goal: 'No goal', worker: 'Nobody' };

/** The cards by goal or by worker, those with the most open tasks first; nothing if they are not grouped. */
export function lanesOf(by: string, columns: ColumnCards): Lane[] | undefined {
  const keyOf = laneOf[by];
  if (!keyOf) return undefined;
  const lanes = new Map<string, ColumnCards>();
  for (const state of taskStates) {
    for (const task of columns[state]) {
      const key = keyOf(task) ?? '';
      const lane = lanes.get(key) ?? emptyLane();
      lanes.set(key, lane);
      lane[state].push(task);
    }
  }
  return [...lanes]
    .sort(([one, ones], [other, others]) => Number(one === '') - Number(other === '') || openIn(others) - openIn(ones))
    .map(([key, cards]) => ({
      key: key === '' ? (without[by] ?? '') : key,
      title: key === '' ? without[by] : titleOf(key),
      filter: key === '' ? {} : by === 'goal' ? { goal: key.slice('goal:'.length) } : { worker: key },
      columns: cards,
    }));
}

const titleOf = (key: string) =>
  key.startsWith('goal:') ? (
    <Link to={`/goals/${key.slice('goal:'.length)}`} class="plain">
      <Name of={key} isLinked={false} />
    </Link>
  ) : (
    <Name of={key} />
  );

const emptyLane = (): ColumnCards => ({
  ready: [],
  waiting: [],
  in_progress: [],
  completed: [],
  failed: [],
  cancelled: [],
});

const openIn = ({ ready, waiting, in_progress }: ColumnCards): number =>
  ready.length + waiting.length + in_progress.length;
