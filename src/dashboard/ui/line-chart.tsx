import { useState } from 'preact/hooks';
import { go } from '../location.js';
import { ChartTable } from './chart-table.js';
import { Bars, Cursor, Curves, ends, type Line, type Scale, scaleOf, xLabels } from './drawing.js';
import { useBrush } from './use-brush.js';
import { useWidth } from './use-width.js';

export type { Line, Point } from './drawing.js';

export interface ChartProps {
  title: string;
  lines: readonly Line[];
  /** The unit of the horizontal axis: Day, Epoch, Time. */
  axis: string;
  showX(x: number): string;
  /** `step`: the distance to the next tick, from which it must be told. */
  showY(y: number, step?: number): string;
  /** Like showY, with the exact value: for the values at the cursor, the sentence and the table. */
  showExactY?(y: number): string;
  /** The vertical axis begins at 0. */
  fromZero?: boolean;
  /** The values are counts: only whole numbers get a tick. */
  isWhole?: boolean;
  /** The ends of the horizontal axis, where they differ from the ends of the lines. */
  span?: readonly [number, number] | undefined;
  /** How long an interval is whose end an `x` is: the axis shows times, and points farther apart are not joined. */
  interval?: number;
  /** The values are seconds. */
  isDuration?: boolean;
  /** Stacked bars instead of lines, each as wide as an interval. */
  isBars?: boolean;
  /** Where more of what happened at an x is told. */
  linkOf?(x: number): string | undefined;
  /** A part of the axis was selected by dragging over it. */
  onSelect?(from: number, to: number): void;
}

/**
 * A chart with a legend, the values at the pointer or the arrow keys, a sentence that sums it up, and its values as a table
 * for screen readers.
 */
export function LineChart(props: ChartProps) {
  const { title, lines, axis, showX, showY, showExactY = showY, isBars = false } = props;
  const [element, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number>();
  const sentence = lines.map((line) => describe(line, showExactY)).join(' ');
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class={isBars ? 'legend of-bars' : 'legend'}>
          {lines.map(({ name, tone }, index) => (
            <span key={name} class={`line-${index} ${tone ?? ''}`}>
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={element}>
        <Plot {...props} width={width} label={`${title}. ${sentence}`} at={at} onMove={setAt} />
      </div>
      <p class="chart-readout" aria-live="polite">
        {at === undefined ? '' : valuesAt(props, at)}
      </p>
      <details>
        <summary>As a table</summary>
        <ChartTable title={title} lines={lines} axis={axis} showX={showX} showY={showExactY} />
      </details>
    </figure>
  );
}

/** The values at an x, as a sentence. */
function valuesAt({ lines, showX, showY, showExactY = showY, interval, linkOf }: ChartProps, x: number): string {
  const values = lines.flatMap(({ name, points }) => {
    const found = points.find((point) => point.x === x);
    return found ? [`${name} ${showExactY(found.y)}`] : [];
  });
  const when = interval === undefined ? showX(x) : `${showX(x - interval)} to ${showX(x)}`;
  return `${when}: ${values.join(', ') || 'nothing'}${linkOf?.(x) ? ' · Enter or a click opens its jobs' : ''}`;
}

type PlotProps = ChartProps & {
  width: number;
  label: string;
  at: number | undefined;
  onMove(x: number | undefined): void;
};

function Plot({ width, label, at, onMove, ...props }: PlotProps) {
  const { lines, interval, isBars = false, linkOf, onSelect, showY } = props;
  const scale = scaleOf(props, width);
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const left = (event: { clientX: number; currentTarget: EventTarget | null }) =>
    event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
  const [element, setElement] = useState<Element | null>(null);
  const brush = useBrush(
    (clientX) => scale.fractionAt(clientX - (element?.getBoundingClientRect().left ?? 0)),
    (from, to) => onSelect?.(scale.xAt(from), scale.xAt(to)),
  );
  const open = () => {
    const link = at === undefined ? undefined : linkOf?.(at);
    if (link) go(link);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const here = at === undefined ? -1 : xs.indexOf(at);
    const next = { ArrowRight: here + 1, ArrowLeft: here < 0 ? xs.length - 1 : here - 1, Home: 0, End: xs.length - 1 };
    const to = next[event.key as keyof typeof next];
    if (to !== undefined) onMove(xs[Math.min(xs.length - 1, Math.max(0, to))]);
    else if (event.key === 'Enter') open();
    else if (event.key === 'Escape') onMove(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <svg
      ref={setElement}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its values are told as the arrow keys move over it.
      tabIndex={0}
      role="img"
      aria-label={label}
      width={width}
      height={scale.height}
      class={linkOf ? 'has-links' : ''}
      {...(onSelect ? brush.handlers : {})}
      onPointerMove={(event) => {
        if (onSelect) brush.handlers.onPointerMove(event);
        onMove(nearest(xs, scale.xAt(scale.fractionAt(left(event))), interval));
      }}
      onPointerLeave={() => onMove(undefined)}
      onBlur={() => onMove(undefined)}
      onKeyDown={onKeyDown}
      onClick={open}
    >
      <Axes {...props} scale={scale} showY={showY} />
      {isBars ? (
        <Bars lines={lines} scale={scale} interval={interval ?? 1} />
      ) : (
        <Curves {...{ lines, scale, interval }} />
      )}
      {at !== undefined && <Cursor {...{ lines, scale, isBars }} at={at} interval={interval} />}
      {brush.selected && (
        <rect
          class="brushed-part"
          x={scale.atX(scale.xAt(brush.selected[0]))}
          width={scale.atX(scale.xAt(brush.selected[1])) - scale.atX(scale.xAt(brush.selected[0]))}
          y={0}
          height={scale.height}
        />
      )}
    </svg>
  );
}

function Axes({ scale, showX, showY, interval }: ChartProps & { scale: Scale }) {
  return (
    <>
      {scale.rises.map((y) => (
        <g key={y}>
          <line class="rule" x1={scale.left} x2={scale.right} y1={scale.atY(y)} y2={scale.atY(y)} />
          <text x={scale.left - 6} y={scale.atY(y) + 4} text-anchor="end">
            {showY(y, scale.rise)}
          </text>
        </g>
      ))}
      {xLabels(scale, showX, interval !== undefined).map(({ x, words, anchor }) => (
        <text key={x} x={scale.atX(x)} y={scale.height - 6} text-anchor={anchor}>
          {words}
        </text>
      ))}
    </>
  );
}

/** The x next to a place; of intervals, the end of the one that it lies in. */
function nearest(xs: readonly number[], x: number, interval: number | undefined): number | undefined {
  if (interval !== undefined) return xs.find((one) => one >= x) ?? xs.at(-1);
  let best = xs[0];
  for (const one of xs) if (best === undefined || Math.abs(one - x) < Math.abs(best - x)) best = one;
  return best;
}

function describe({ name, points }: Line, showY: (y: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `${name}: nothing yet.`;
  const [low, high] = ends(points.map(({ y }) => y));
  return `${name}: from ${showY(first.y)} to ${showY(last.y)}, lowest ${showY(low)}, highest ${showY(high)}.`;
}
