import { timeTicks } from './moment.js';
import { niceEnds, ticks } from './ticks.js';

export interface Point {
  x: number;
  y: number;
}

export interface Line {
  name: string;
  points: readonly Point[];
  /** What a bar of it means. */
  tone?: 'completed' | 'failed' | 'cancelled';
}

const height = 200;
const edge = { top: 10, right: 14, bottom: 24, left: 8 };
/** The width of a digit of the labels, so that the longest one fits beside the axis. */
const digit = 6.6;
/** Between two labels of the horizontal axis. */
const labelGap = 28;
const mostPoints = 400;

/** Where values are drawn. */
export interface Scale {
  height: number;
  left: number;
  right: number;
  first: number;
  last: number;
  /** Ticks of the vertical axis, and the distance between two. */
  rises: readonly number[];
  rise: number;
  atX(x: number): number;
  atY(y: number): number;
  /** From a place in the drawing to a fraction of its axis, and from that to its value. */
  fractionAt(place: number): number;
  xAt(fraction: number): number;
}

interface Drawn {
  lines: readonly Line[];
  showY(y: number, step?: number): string;
  fromZero?: boolean;
  isWhole?: boolean;
  span?: readonly [number, number] | undefined;
  isBars?: boolean;
  /** The values are seconds: ticks are at round durations. */
  isDuration?: boolean;
}

export function scaleOf(
  { lines, showY, fromZero = false, isWhole = false, span, isBars = false, isDuration = false }: Drawn,
  width: number,
): Scale {
  const points = lines.flatMap((line) => line.points);
  const [first, last] = span ?? ends(points.map(({ x }) => x));
  const [lowest, highest] = ends(isBars ? sums(lines) : points.map(({ y }) => y));
  const rises = isDuration
    ? durationTicks(highest)
    : niceTicks(fromZero ? Math.min(0, lowest) : lowest, highest, isWhole);
  const [low, high] = [rises[0] ?? 0, rises.at(-1) ?? 1];
  const rise = (rises[1] ?? 1) - (rises[0] ?? 0);
  const left = edge.left + digit * Math.max(...rises.map((y) => showY(y, rise).length));
  const right = width - edge.right;
  const place = (value: number, from: number, to: number) => (to === from ? 0.5 : (value - from) / (to - from));
  return {
    height,
    left,
    right,
    first,
    last,
    rises,
    rise,
    atX: (x) => left + place(x, first, last) * (right - left),
    atY: (y) => height - edge.bottom - place(y, low, high) * (height - edge.bottom - edge.top),
    fractionAt: (at) => Math.min(1, Math.max(0, (at - left) / Math.max(1, right - left))),
    xAt: (fraction) => first + fraction * (last - first),
  };
}

/** The heights of stacked bars. */
function sums(lines: readonly Line[]): number[] {
  const byX = new Map<number, number>();
  for (const { points } of lines) for (const { x, y } of points) byX.set(x, (byX.get(x) ?? 0) + y);
  return [0, ...byX.values()];
}

interface DrawnLines {
  lines: readonly Line[];
  scale: Scale;
  interval?: number | undefined;
}

/** Lines; what lies farther apart than an interval is not joined, and a point alone is a dot. */
export function Curves({ lines, scale: { atX, atY }, interval }: DrawnLines) {
  return (
    <>
      {lines.map((line, index) => {
        let path = '';
        const drawn = thin(line.points, mostPoints);
        const alone: Point[] = [];
        const isJoined = (a: Point | undefined, b: Point | undefined) =>
          a && b && (interval === undefined || b.x - a.x <= interval * 1.5);
        for (const [place, point] of drawn.entries()) {
          const joinsBefore = isJoined(drawn[place - 1], point);
          const isBeginning = !joinsBefore && isJoined(point, drawn[place + 1]);
          if (joinsBefore || isBeginning) {
            path += `${isBeginning ? 'M' : 'L'}${atX(point.x).toFixed(1)},${atY(point.y).toFixed(1)}`;
          } else alone.push(point);
        }
        return (
          <g key={line.name}>
            <path class={`line-${index}`} d={path} />
            {alone.map(({ x, y }) => (
              <circle key={x} class={`dot-${index}`} cx={atX(x)} cy={atY(y)} r={3.5} />
            ))}
          </g>
        );
      })}
    </>
  );
}

/** Stacked bars, each as wide as the interval that ends at its x. */
export function Bars({ lines, scale: { atX, atY }, interval = 1 }: DrawnLines) {
  const heights = new Map<number, number>();
  return (
    <>
      {lines.map(({ name, tone, points }, index) => (
        <g key={name} class={`bars line-${index} ${tone ?? ''}`}>
          {points.map(({ x, y }) => {
            const base = heights.get(x) ?? 0;
            heights.set(x, base + y);
            if (y === 0) return null;
            const [from, to] = [atX(x - interval), atX(x)];
            const gap = to - from > 6 ? 1.5 : 0.5;
            return (
              <rect
                key={x}
                x={from + gap / 2}
                width={Math.max(1, to - from - gap)}
                y={atY(base + y)}
                height={Math.max(1, atY(base) - atY(base + y))}
              />
            );
          })}
        </g>
      ))}
    </>
  );
}

interface CursorProps extends DrawnLines {
  at: number;
  isBars: boolean;
}

/** Marks an x: the values there, or the interval that ends there. */
export function Cursor({ lines, scale: { atX, atY, height: whole }, interval, at, isBars }: CursorProps) {
  if (isBars) {
    const from = atX(at - (interval ?? 0));
    return (
      <rect class="cursor-part" x={from} width={atX(at) - from} y={edge.top} height={whole - edge.bottom - edge.top} />
    );
  }
  return (
    <>
      <line class="cursor" x1={atX(at)} x2={atX(at)} y1={edge.top} y2={whole - edge.bottom} />
      {lines.map(({ name, points }, index) => {
        const point = points.find(({ x }) => x === at);
        return point && <circle key={name} class={`dot-${index}`} cx={atX(at)} cy={atY(point.y)} r={4} />;
      })}
    </>
  );
}

interface XLabel {
  x: number;
  words: string;
  anchor: 'start' | 'middle' | 'end';
}

/** Labels of the horizontal axis: round times, round numbers between whole ends, or evenly spaced values with both ends. */
export function xLabels({ first, last, left, right }: Scale, showX: (x: number) => string, isTime: boolean): XLabel[] {
  const width = right - left;
  if (isTime) {
    const found = timeTicks(first, last, Math.max(1, Math.floor(width / 64)));
    return found.map(({ at, words }) => ({ x: at, words, anchor: anchorOf((at - first) / (last - first), width) }));
  }
  const label = digit * Math.max(showX(first).length, showX(last).length) + labelGap;
  return labelledX(first, last, Math.floor(width / label) - 1).map((x) => ({
    x,
    words: showX(x),
    anchor: x === first ? 'start' : x === last ? 'end' : 'middle',
  }));
}

/** Words near an end would reach over it. */
function anchorOf(fraction: number, width: number): XLabel['anchor'] {
  if (fraction * width < 20) return 'start';
  return (1 - fraction) * width < 20 ? 'end' : 'middle';
}

/** In seconds. */
const durations = [
  0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
  604_800,
];

/** Round durations from none to at least the highest. */
function durationTicks(highest: number): number[] {
  const step = durations.find((one) => one * 4 >= highest) ?? Math.ceil(highest / 4 / 604_800) * 604_800;
  return Array.from({ length: Math.max(1, Math.ceil(highest / step)) + 1 }, (_, i) => i * step);
}

/** Round numbers, evenly spaced, the first at or below all values and the last at or above them. */
function niceTicks(low: number, high: number, isWhole: boolean): number[] {
  // A constant line needs a scale too.
  const top = high === low ? low + Math.max(Math.abs(low) * 0.02, 1) : high;
  const count = isWhole ? Math.max(1, Math.min(4, Math.floor(top - low))) : 4;
  const [from, to] = niceEnds(low, top, count);
  return ticks(from, to, count);
}

function labelledX(first: number, last: number, most: number): number[] {
  const parts = Math.max(1, Math.min(most, 6));
  const isCount = Number.isInteger(first) && Number.isInteger(last) && last - first < largestCount;
  if (isCount) return last === first ? [first] : ticks(first, last, parts).filter(Number.isInteger);
  return Array.from({ length: parts + 1 }, (_, i) => first + ((last - first) * i) / parts);
}

/** Beyond this, whole numbers are times in milliseconds. */
const largestCount = 10_000_000;

/** At most `most` of them, evenly chosen, with the first and the last. */
export function thin<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)] as Item);
}

/** The lowest and the highest. */
export function ends(values: readonly number[]): [number, number] {
  let [low = 0, high = low] = [values[0]];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
