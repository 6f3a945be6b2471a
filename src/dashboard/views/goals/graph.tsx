import { useMemo, useRef } from 'preact/hooks';
import { go } from '../../location.js';
import { shownCount, type TaskCard } from '../../task-card.js';
import { StateIcon, stateWords } from '../../ui/state.js';
import { nodeSize, type Point, placeGraph } from './layout.js';

/** A goal's tasks and dependencies as the server gives them. */
export interface GraphRead {
  nodes: TaskCard[];
  /** From a dependency to what waits for it. */
  edges: [from: number, to: number][];
  critical_path: number[];
  /** How many tasks would be drawn if all were. */
  total: number;
}

/** The dependencies of a goal, drawn; the longest chain of open tasks stands out. */
export function Graph({ nodes, edges, critical_path, total }: GraphRead) {
  const ids = nodes.map(({ id }) => id);
  // Placed anew only when the tasks or their order are others; a change of state alone moves nothing.
  const shape = JSON.stringify([ids, edges]);
  const drawn = useMemo(() => placeGraph(ids, edges), [shape]);
  const steps = new Set(critical_path.slice(1).map((id, index) => `${critical_path[index]}-${id}`));
  const critical = new Set(critical_path.length > 1 ? critical_path : []);
  if (nodes.length === 0) return <p class="quiet">There is nothing to draw.</p>;
  const { width, height, places, ways } = drawn;
  return (
    <>
      {nodes.length < total && (
        <p class="note">
          {shownCount(nodes.length)} of {shownCount(total)} tasks are drawn, the open ones first.
        </p>
      )}
      <Pan label="Order of work: scroll or drag to move">
        <svg class="graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          <title>{`${nodes.length} tasks with ${edges.length} dependencies`}</title>
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
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
          {nodes.map((task) => (
            <Node key={task.id} task={task} place={places.get(task.id)} isCritical={critical.has(task.id)} />
          ))}
        </svg>
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

const longestLine = 23;

function Node({ task, place, isCritical }: NodeProps) {
  if (!place) return null;
  const address = `/board/task/${task.id}`;
  const { width, height } = nodeSize;
  const words = stateWords[task.state].toLowerCase();
  const critical = isCritical ? ', on the critical path' : '';
  const below = task.state === 'in_progress' && task.worker ? `${words}, ${task.worker}` : words;
  return (
    <a
      href={address}
      class={`node ${task.state}${isCritical ? ' critical' : ''}`}
      aria-label={`${task.title}, ${words}${critical}`}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(address);
      }}
    >
      <title>{task.title}</title>
      <g transform={`translate(${place.x - width / 2} ${place.y - height / 2})`}>
        <rect width={width} height={height} rx="7" />
        <g transform="translate(9 8)">
          <StateIcon state={task.state} />
        </g>
        <text x="32" y="20" class="node-title">
          {cut(task.title)}
        </text>
        <text x="32" y="36" class="node-state">
          {cut(`#${task.id} ${below}`)}
        </text>
      </g>
    </a>
  );
}

const cut = (text: string): string => (text.length <= longestLine ? text : `${text.slice(0, longestLine - 1)}…`);

/** A smooth line through the points that the layout has chosen. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) return '';
  const middles = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last;
    return `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  });
  return `M${first.x} ${first.y}${middles.join('')}L${last.x} ${last.y}`;
}

/** A window on something larger: scrolled as any, and dragged with the mouse. */
function Pan({ label, children }: { label: string; children: preact.ComponentChildren }) {
  const element = useRef<HTMLElement>(null);
  const grip = useRef<Point | undefined>(undefined);
  const hasMoved = useRef(false);
  return (
    <section
      ref={element}
      class="pan"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
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
