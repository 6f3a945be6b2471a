import { extent, nice, ticks } from 'd3-array';
import { pathRound } from 'd3-path';
import { useWidth } from './use-width.js';

export interface Point {
  x: number;
  y: number;
}

export interface Line {
  name: string;
  points: readonly Point[];
}

interface LineChartProps {
  title: string;
  lines: readonly Line[];
  /** The unit of the horizontal axis: Day, Epoch, Time. */
  axis: string;
  showX(x: number): string;
  /** `step`: the distance to the next tick, from which it must be told. */
  showY(y: number, step?: number): string;
  /** Like showY, with the exact value: for the sentence and the table. */
  showExactY?(y: number): string;
  /** The vertical axis begins at 0. */
  fromZero?: boolean;
  /** The values are counts: only whole numbers get a tick. */
  isWhole?: boolean;
  /** The ends of the horizontal axis, where they differ from the ends of the lines. */
  span?: readonly [number, number] | undefined;
}

const mostPoints = 400;
const mostRows = 40;

/** A line chart with a legend, a sentence that sums it up, and its values as a table for screen readers. */
export function LineChart({ title, lines, axis, showX, showY, showExactY = showY, ...rest }: LineChartProps) {
  const [element, width] = useWidth<HTMLDivElement>();
  const sentence = lines.map((line) => describe(line, showExactY)).join(' ');
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="legend">
          {lines.map(({ name }, index) => (
            <span key={name} class={`line-${index}`}>
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={element}>
        <svg role="img" aria-label={`${title}. ${sentence}`} width={width} height={height}>
          <Drawing lines={lines} width={width} showX={showX} showY={showY} {...rest} />
        </svg>
      </div>
      <details>
        <summary>As a table</summary>
        <ChartTable title={title} lines={lines} axis={axis} showX={showX} showY={showExactY} />
      </details>
    </figure>
  );
}

type DrawingProps = Omit<LineChartProps, 'title' | 'axis' | 'showExactY'> & { width: number };

const height = 200;
const edge = { top: 10, right: 14, bottom: 24, left: 8 };
/** The width of a digit of the labels, so that the longest one fits beside the axis. */
const digit = 6.6;
/** Between two labels of the horizontal axis. */
const labelGap = 28;

function Drawing({ lines, width, showX, showY, fromZero = false, isWhole = false, span }: DrawingProps) {
  const points = lines.flatMap((line) => line.points);
  const [firstX, lastX] = span ?? ends(points.map(({ x }) => x));
  const [lowest, highest] = ends(points.map(({ y }) => y));
  const rises = niceTicks(fromZero ? Math.min(0, lowest) : lowest, highest, isWhole);
  const [low, high] = [rises[0] ?? 0, rises.at(-1) ?? 1];
  const rise = (rises[1] ?? 1) - (rises[0] ?? 0);
  const left = edge.left + digit * Math.max(...rises.map((y) => showY(y, rise).length));
  const place = (value: number, from: number, to: number) => (to === from ? 0.5 : (value - from) / (to - from));
  const atX = (x: number) => left + place(x, firstX, lastX) * (width - edge.right - left);
  const atY = (y: number) => height - edge.bottom - place(y, low, high) * (height - edge.bottom - edge.top);
  const label = digit * Math.max(showX(firstX).length, showX(lastX).length) + labelGap;
  const steps = labelledX(firstX, lastX, Math.floor((width - left) / label) - 1);
  const draw = ([first, ...others]: readonly Point[]): string => {
    const path = pathRound(1);
    if (first) path.moveTo(atX(first.x), atY(first.y));
    for (const { x, y } of others) path.lineTo(atX(x), atY(y));
    return path.toString();
  };
  return (
    <>
      {rises.map((y) => (
        <g key={y}>
          <line class="rule" x1={left} x2={width - edge.right} y1={atY(y)} y2={atY(y)} />
          <text x={left - 6} y={atY(y) + 4} text-anchor="end">
            {showY(y, rise)}
          </text>
        </g>
      ))}
      {steps.map((x) => (
        <text key={x} x={atX(x)} y={height - 6} text-anchor={x === firstX ? 'start' : x === lastX ? 'end' : 'middle'}>
          {showX(x)}
        </text>
      ))}
      {lines.map((line, index) => {
        const drawn = thin(line.points, mostPoints);
        const [only] = drawn;
        if (only && drawn.length === 1) {
          return <circle key={line.name} class={`dot-${index}`} cx={atX(only.x)} cy={atY(only.y)} r={4} />;
        }
        return <path key={line.name} class={`line-${index}`} d={draw(drawn)} />;
      })}
    </>
  );
}

/** Round numbers, evenly spaced, the first at or below all values and the last at or above them. */
function niceTicks(low: number, high: number, isWhole: boolean): number[] {
  // A constant line needs a scale too.
  const top = high === low ? low + Math.max(Math.abs(low) * 0.02, 1) : high;
  const count = isWhole ? Math.max(1, Math.min(4, Math.floor(top - low))) : 4;
  const [from, to] = nice(low, top, count);
  return ticks(from, to, count);
}

/** Ticks of the horizontal axis: round numbers between whole ends; evenly spaced with both ends otherwise. */
function labelledX(first: number, last: number, most: number): number[] {
  const parts = Math.max(1, Math.min(most, 6));
  const isCount = Number.isInteger(first) && Number.isInteger(last) && last - first < largestCount;
  if (isCount) return last === first ? [first] : ticks(first, last, parts).filter(Number.isInteger);
  return Array.from({ length: parts + 1 }, (_, i) => first + ((last - first) * i) / parts);
}

/** Beyond this, whole numbers are times in milliseconds. */
const largestCount = 10_000_000;

function ChartTable({ title, lines, axis, showX, showY }: LineChartProps) {
  const rows = thin(lines[0]?.points ?? [], mostRows);
  const others = lines.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
    <section class="scroll" tabIndex={0} aria-label={`${title} as a table`}>
      <table>
        <thead>
          <tr>
            <th>{axis}</th>
            {lines.map(({ name }) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ x }) => (
            <tr key={x}>
              <td>{showX(x)}</td>
              {others.map((values, index) => {
                const y = values.get(x);
                return <td key={lines[index]?.name}>{y === undefined ? '–' : showY(y)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function describe({ name, points }: Line, showY: (y: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `${name}: nothing yet.`;
  const ys = points.map(({ y }) => y);
  const [low, high] = ends(ys);
  return `${name}: from ${showY(first.y)} to ${showY(last.y)}, lowest ${showY(low)}, highest ${showY(high)}.`;
}

/** At most `most` of them, evenly chosen, with the first and the last. */
function thin<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)] as Item);
}

/** The lowest and the highest. */
function ends(values: readonly number[]): [number, number] {
  const [low = 0, high = low] = extent(values);
  return [low, high];
}
