import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { GoalGraph } from '../../../http/page/goals.js';
import type { TaskCard } from '../../../http/page/tasks.js';
import { Link } from '../../location.js';
import { shownCount } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { StateIcon, stateWords } from '../../ui/state.js';
import { nodeSize, type Point, placeGraph } from './layout.js';

/** The dependency graph of a goal; its critical path stands out. */
export function Graph({ nodes, edges, critical_path, total }: GoalGraph) {
  const ids = nodes.map(({ id }) => id);
  // Laid out again only when tasks or edges change; a change of state moves nothing.
  const shape = JSON.stringify([ids, edges]);
  const drawn = useMemo(() => placeGraph(ids, edges), [shape]);
  const steps = new Set(critical_path.slice(1).map((id, index) => `${critical_path[index]}-${id}`));
  const critical = new Set(critical_path.length > 1 ? critical_path : []);
  if (nodes.length === 0) return <p class="quiet">No tasks to draw.</p>;
  const { width, height, places, ways } = drawn;
  return (
    <>
      {nodes.length < total && (
        <p class="note">
          {shownCount(nodes.length)} of {shownCount(total)} tasks are drawn, the open ones first.
        </p>
      )}
      <Pan label="Order of work: scroll or drag to move">
        <div class="graph" style={pixels({ width, height })}>
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
                key={`${from}-${to}`}
                class={steps.has(`${from}-${to}`) ? 'edge critical' : 'edge'}
                d={curve(ways[index] ?? [])}
                marker-end="url(#arrow)"
              />
            ))}
          </svg>
          <ul aria-label={`${nodes.length} tasks with ${edges.length} dependencies`}>
            {nodes.map((task) => (
              <Node key={task.id} task={task} place={places.get(task.id)} isCritical={critical.has(task.id)} />
            ))}
          </ul>
        </div>
      </Pan>
      {critical.size > 0 && (
        <p class="legend quiet">
          <svg width="28" height="8" aria-hidden="true">
            <path class="edge critical" d="M0 4h28" />
          </svg>
          The critical path: {critical_path.length} open tasks, one after the other.
        </p>
      )}
    </>
  );
}

interface NodeProps {
  task: TaskCard;
  place: Point | undefined;
  isCritical: boolean;
}

function Node({ task, place, isCritical }: NodeProps) {
  if (!place) return null;
  const { width, height } = nodeSize;
  const words = stateWords[task.state].toLowerCase();
  return (
    <li style={pixels({ left: place.x - width / 2, top: place.y - height / 2, width, height })} title={task.title}>
      <Link to={`/board/task/${task.id}`} class={`node ${task.state}${isCritical ? ' critical' : ''}`}>
        <StateIcon state={task.state} />
        <span class="node-title">{task.title}</span>
        <span class="node-state">
          #{task.id} {words}
          {task.state === 'in_progress' && task.worker && (
            <>
              , <Name of={task.worker} isLinked={false} />
            </>
          )}
        </span>
        {isCritical && <span class="unseen">on the critical path</span>}
      </Link>
    </li>
  );
}

/** Styles need their unit. */
const pixels = (sizes: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, `${size}px`]));

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

/** A scrollable viewport that can also be dragged with the mouse. */
function Pan({ label, children }: { label: string; children: ComponentChildren }) {
  const element = useRef<HTMLElement>(null);
  const grip = useRef<Point | undefined>(undefined);
  const hasMoved = useRef(false);
  return (
    <section
      ref={element}
      class="pan"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
      tabIndex={0}
      onDragStart={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        hasMoved.current = false;
        if (event.button === 0 && event.pointerType === 'mouse') grip.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerMove={(event) => {
        if (!grip.current || event.buttons === 0) return;
        const by = { x: event.clientX - grip.current.x, y: event.clientY - grip.current.y };
        if (Math.abs(by.x) + Math.abs(by.y) > 3) hasMoved.current = true;
        element.current?.scrollBy(-by.x, -by.y);
        grip.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerUp={() => {
        grip.current = undefined;
      }}
      // A drag that ends on a task does not open it.
      onClickCapture={(event) => {
        if (hasMoved.current) event.preventDefault();
      }}
    >
      {children}
    </section>
  );
}
