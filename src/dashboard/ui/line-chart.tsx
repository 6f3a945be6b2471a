import { AutoScaleAxis, LineChart as Chart, FixedScaleAxis, Svg } from 'chartist';
import { useEffect, useRef } from 'preact/hooks';

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
  /** What the horizontal axis is: Day, Epoch, Time. */
  axis: string;
  showX(x: number): string;
  showY(y: number): string;
  /** As showY, where there is room to be exact. */
  tellY?(y: number): string;
  /** The vertical axis begins at nought. */
  fromZero?: boolean;
}

// Chartist sizes its elements by style attributes, which the page's own policy forbids; chart.css does it instead.
const setAttributes = Svg.prototype.attr;
Svg.prototype.attr = function attr(this: Svg, attributes: object | string, namespace?: string) {
  const allowed = typeof attributes === 'string' ? attributes : { ...attributes, style: undefined };
  return (setAttributes as (given: unknown, namespace?: string) => unknown).call(this, allowed, namespace);
} as typeof setAttributes;

const mostPoints = 400;
const mostRows = 40;

/** Lines over one axis, with a legend, a sentence that says what they do, and their values as a table. */
export function LineChart({ title, lines, axis, showX, showY, tellY = showY, fromZero = false }: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | undefined>(undefined);
  const drawn = lines.map(({ points }) => thin(points, mostPoints));
  const xs = lines.flatMap(({ points }) => points.map(({ x }) => x));
  const [low, high] = [Math.min(...ends(xs)), Math.max(...ends(xs))];

  useEffect(() => {
    if (!place.current) return;
    const data = { series: drawn.map((points) => [...points]) };
    const options = {
      showPoint: drawn.every((points) => points.length < 2),
      lineSmooth: false,
      fullWidth: true,
      chartPadding: { top: 8, right: 24, bottom: 0, left: 12 },
      axisX: { type: FixedScaleAxis, low, high, ticks: ticksOf(low, high), labelInterpolationFnc: label(showX) },
      axisY: {
        type: AutoScaleAxis,
        ...(fromZero ? { low: 0 } : {}),
        scaleMinSpace: 28,
        labelInterpolationFnc: label(showY),
      },
    };
    if (chart.current) chart.current.update(data, options);
    else chart.current = new Chart(place.current, data, options);
  });
  useEffect(
    () => () => {
      chart.current?.detach();
    },
    [],
  );

  const sentence = lines.map((line) => describe(line, tellY)).join(' ');
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
      <div ref={place} role="img" aria-label={`${title}. ${sentence}`} />
      <details>
        <summary>As a table</summary>
        <ChartTable title={title} lines={lines} axis={axis} showX={showX} showY={tellY} />
      </details>
    </figure>
  );
}

function ChartTable({ title, lines, axis, showX, showY }: LineChartProps) {
  const rows = thin(lines[0]?.points ?? [], mostRows);
  const others = lines.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])));
  return (
    <table aria-label={title}>
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
  );
}

function describe({ name, points }: Line, showY: (y: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `${name}: nothing yet.`;
  const ys = points.map(({ y }) => y);
  const [low, high] = ends(ys);
  return `${name}: from ${showY(first.y)} to ${showY(last.y)}, lowest ${showY(low)}, highest ${showY(high)}.`;
}

/** At most so many, evenly chosen, the first and the last among them. */
function thin<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)] as Item);
}

/** The lowest and the highest; a spread of many thousand arguments would overflow the stack. */
function ends(values: readonly number[]): [number, number] {
  let [low, high] = [values[0] ?? 0, values[0] ?? 0];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

function ticksOf(low: number, high: number): number[] {
  const most = innerWidth < 640 ? 3 : 6;
  const isWhole = Number.isInteger(low) && Number.isInteger(high);
  const parts = isWhole ? Math.max(1, Math.min(most, high - low)) : most;
  const ticks = Array.from({ length: parts + 1 }, (_, i) => low + ((high - low) * i) / parts);
  return [...new Set(isWhole ? ticks.map(Math.round) : ticks)];
}

const label = (show: (value: number) => string) => (value: unknown) => show(Number(value));
