import { useMemo, useState } from 'preact/hooks';
import type { GoalGraph } from '../../../http/page/goals.js';
import type { TaskCard, TaskState } from '../../../http/page/tasks.js';
import { Link } from '../../location.js';
import { Dialog } from '../../ui/dialog.js';
import { shownCount } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { StateIcon, stateWords } from '../../ui/state.js';
import { foldGraph, type Unit } from './fold.js';
import { nodeSize, type Point, placeGraph } from './layout.js';
import { Pan } from './pan.js';
import { stepTo } from './step-to.js';

/** A group with more tasks than this is a list when it is opened, unless it is a chain. */
const mostUnfolded = 24;

/** The dependency graph of a goal; its critical path stands out. A large one is folded. */
export function Graph({ nodes, edges, critical_path, total }: GoalGraph) {
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set<string>());
  const [listed, setListed] = useState<Unit>();
  const tasks = new Map(nodes.map((task) => [task.id, task]));
  const path = critical_path.length > 1 ? critical_path : [];
  const ended = nodes.filter(({ state }) => isEnded(state)).map(({ id }) => id);
  // Laid out again only when tasks, edges or what is over change; any other change of state moves nothing.
  const shape = JSON.stringify([nodes.map(({ id }) => id), edges, ended, path, [...unfolded]]);
  const { folded, drawn } = useMemo(() => {
    const kept = new Set([...path, ...nodes.filter(({ state }) => isKept(state)).map(({ id }) => id)]);
    const ids = nodes.map(({ id }) => id);
    const result = foldGraph(ids, edges, { unfolded, ended: new Set(ended), critical: new Set(path), kept });
    const keys = result.units.map(({ key }) => key);
    return { folded: result, drawn: placeGraph(keys, result.edges) };
  }, [shape]);
  if (nodes.length === 0) return <p class="quiet">No tasks to draw.</p>;
  const steps = stepsOf(path, folded.units);
  const isCritical = (unit: Unit) => unit.tasks.some((id) => path.includes(id));
  const first = folded.units.find((unit) => path[0] !== undefined && unit.tasks.includes(path[0]));
  const open = (unit: Unit) => {
    if (unit.kind !== 'chain' && unit.tasks.length > mostUnfolded) setListed(unit);
    else {
      setUnfolded(new Set([...unfolded, unit.key]));
      focusFirst(unit);
    }
  };
  return (
    <>
      {nodes.length < total && (
        <p class="note">
          {shownCount(nodes.length)} of {shownCount(total)} tasks are drawn, the open ones first.
        </p>
      )}
      {folded.units.length > 0 && (
        <Pan
          label="Order of work: scroll or drag to move, arrow keys go from task to task"
          size={drawn}
          start={first && topLeft(drawn.places.get(first.key))}
        >
          <div class="graph" style={pixels({ width: drawn.width, height: drawn.height })}>
            <Edges edges={folded.edges} drawn={drawn} steps={steps} />
            <ul
              aria-label={`${nodes.length} tasks with ${edges.length} dependencies`}
              onKeyDown={(event) => stepTo(event, folded.edges, drawn.places)}
            >
              {inReadingOrder(folded.units, drawn.places).map((unit) => (
                <Place key={unit.key} unit={unit} place={drawn.places.get(unit.key)}>
                  <UnitNode unit={unit} tasks={tasks} isCritical={isCritical(unit)} onOpen={() => open(unit)} />
                </Place>
              ))}
            </ul>
          </div>
        </Pan>
      )}
      <div class="legend quiet">
        {path.length > 0 && (
          <span>
            <svg width="28" height="8" aria-hidden="true">
              <path class="edge critical" d="M0 4h28" />
            </svg>{' '}
            The critical path: {path.length} open tasks, one after the other.
          </span>
        )}
        {unfolded.size > 0 && (
          <button type="button" class="small-button" onClick={() => setUnfolded(new Set())}>
            Fold again
          </button>
        )}
      </div>
      <Alone tasks={folded.alone.flatMap((id) => tasks.get(id) ?? [])} />
      {listed && (
        <Dialog title={`${shownCount(listed.tasks.length)} tasks`} onClose={() => setListed(undefined)}>
          <NodeList tasks={listed.tasks.flatMap((id) => tasks.get(id) ?? [])} />
        </Dialog>
      )}
    </>
  );
}

/** The focus goes to what has come in the place of the group. */
function focusFirst({ tasks: [first] }: Unit): void {
  const places = [`${first}`, `beside:${first}`, `chain:${first}`].map((key) => `.graph [data-key="${key}"]`);
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`:is(${places.join()}) > :is(a, button)`)?.focus();
  });
}

const isEnded = (state: TaskState): boolean => state === 'completed' || state === 'cancelled';
const isKept = (state: TaskState): boolean => state === 'in_progress' || state === 'failed' || state === 'ready';
const topLeft = (place: Point | undefined): Point | undefined =>
  place && { x: place.x - nodeSize.width / 2, y: place.y };

/** The edges of the critical path, between units. */
function stepsOf(path: readonly number[], units: readonly Unit[]): ReadonlySet<string> {
  const unitOf = new Map(units.flatMap(({ key, tasks }) => tasks.map((id) => [id, key] as const)));
  return new Set(path.slice(1).map((id, index) => `${unitOf.get(path[index] ?? 0)}→${unitOf.get(id)}`));
}

/** As one reads: from left to right, in a column from above. So goes the Tab key, and a voice. */
const inReadingOrder = (units: readonly Unit[], places: ReadonlyMap<string, Point>): Unit[] =>
  [...units].sort((one, other) => {
    const a = places.get(one.key) ?? { x: 0, y: 0 };
    const b = places.get(other.key) ?? { x: 0, y: 0 };
    return a.x - b.x || a.y - b.y;
  });

interface EdgesProps {
  edges: readonly (readonly [string, string])[];
  drawn: ReturnType<typeof placeGraph>;
  steps: ReadonlySet<string>;
}

function Edges({ edges, drawn: { width, height, ways }, steps }: EdgesProps) {
  return (
    <svg width={width} height={height} aria-hidden="true">
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerUnits="userSpaceOnUse"
          markerWidth="9"
          markerHeight="9"
          orient="auto"
        >
          <path d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      {edges.map(([from, to], index) => (
        <path
          key={`${from}→${to}`}
          class={steps.has(`${from}→${to}`) ? 'edge critical' : 'edge'}
          d={curve(ways[index] ?? [])}
          marker-end="url(#arrow)"
        />
      ))}
    </svg>
  );
}

/** A smooth curve through the layout's points, level at each of them. */
function curve([first, ...rest]: readonly Point[]): string {
  if (!first) return '';
  let { x, y } = first;
  let line = `M${x} ${y}`;
  for (const point of rest) {
    const middle = (x + point.x) / 2;
    line += `C${middle} ${y} ${middle} ${point.y} ${point.x} ${point.y}`;
    ({ x, y } = point);
  }
  return line;
}

interface PlaceProps {
  unit: Unit;
  place: Point | undefined;
  children: preact.ComponentChildren;
}

function Place({ unit, place, children }: PlaceProps) {
  if (!place) return null;
  const { width, height } = nodeSize;
  return (
    <li data-key={unit.key} style={pixels({ left: place.x - width / 2, top: place.y - height / 2, width, height })}>
      {children}
    </li>
  );
}

/** Styles need their unit. */
const pixels = (sizes: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, `${size}px`]));

interface UnitNodeProps {
  unit: Unit;
  tasks: ReadonlyMap<number, TaskCard>;
  isCritical: boolean;
  onOpen(): void;
}

function UnitNode({ unit, tasks, isCritical, onOpen }: UnitNodeProps) {
  const members = unit.tasks.flatMap((id) => tasks.get(id) ?? []);
  const [first] = members;
  if (!first) return null;
  if (unit.kind === 'task') return <TaskNode task={first} isCritical={isCritical} />;
  return <GroupNode unit={unit} members={members} isCritical={isCritical} onOpen={onOpen} />;
}

function TaskNode({ task, isCritical = false }: { task: TaskCard; isCritical?: boolean }) {
  return (
    <Link to={`/board/task/${task.id}`} class={`node ${task.state}${isCritical ? ' critical' : ''}`}>
      <StateIcon state={task.state} />
      <span class="node-title" title={task.title} dir="auto">
        {task.title}
      </span>
      <span class="node-state">
        #{task.id} {stateWords[task.state].toLowerCase()}
        {task.state === 'in_progress' && task.worker && (
          <>
            , <Name of={task.worker} isLinked={false} />
          </>
        )}
      </span>
      {isCritical && <span class="unseen">on the critical path</span>}
    </Link>
  );
}

/** What of a group counts most. */
const byWeight: readonly TaskState[] = ['failed', 'in_progress', 'ready', 'waiting', 'completed', 'cancelled'];

const kindWords: Readonly<Record<Exclude<Unit['kind'], 'task'>, string>> = {
  chain: 'in a row',
  beside: 'side by side',
  done: 'done',
  rest: 'more',
};

interface GroupNodeProps extends Pick<UnitNodeProps, 'unit' | 'isCritical' | 'onOpen'> {
  members: readonly TaskCard[];
}

function GroupNode({ unit: { kind }, members, isCritical, onOpen }: GroupNodeProps) {
  const counts = byWeight
    .map((state) => [state, members.filter((task) => task.state === state).length] as const)
    .filter(([, count]) => count > 0);
  const [[state] = ['waiting' as const]] = counts;
  const words = counts.map(([one, count]) => `${shownCount(count)} ${stateWords[one].toLowerCase()}`).join(', ');
  return (
    <button
      type="button"
      class={`node group ${state}${isCritical ? ' critical' : ''}`}
      aria-expanded={false}
      onClick={onOpen}
    >
      <StateIcon state={state} />
      <span class="node-title">
        {shownCount(members.length)} {kind === 'task' ? '' : kindWords[kind]}
      </span>
      <span class="node-state">{words}</span>
      {isCritical && <span class="unseen">on the critical path</span>}
    </button>
  );
}

const mostAlone = 12;

/** Tasks that wait for none and that none waits for: the open ones first. */
function Alone({ tasks }: { tasks: readonly TaskCard[] }) {
  const [isWhole, setWhole] = useState(false);
  if (tasks.length === 0) return null;
  const inOrder = [...tasks].sort((one, other) => byWeight.indexOf(one.state) - byWeight.indexOf(other.state));
  const shown = isWhole ? inOrder : inOrder.slice(0, mostAlone);
  return (
    <section class="alone">
      <h4>
        {shownCount(tasks.length)} {tasks.length === 1 ? 'task' : 'tasks'} without dependencies
      </h4>
      <NodeList tasks={shown} />
      {shown.length < tasks.length && (
        <button type="button" class="small-button" onClick={() => setWhole(true)}>
          Show all {shownCount(tasks.length)}
        </button>
      )}
    </section>
  );
}

const NodeList = ({ tasks }: { tasks: readonly TaskCard[] }) => (
  <ul class="node-list">
    {tasks.map((task) => (
      <li key={task.id}>
        <TaskNode task={task} />
      </li>
    ))}
  </ul>
);
