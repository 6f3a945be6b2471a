import { useRef, useState } from 'preact/hooks';
import type { ShownSpan } from '../../http/page/timeline.js';
import { Link } from '../location.js';
import { duration, number } from './format.js';
import { moment, timeTicks, wholeMoment } from './moment.js';
import { type Range, showRange } from './range.js';
import { useNow } from './time.js';
import { useBrush } from './use-brush.js';
import { useWidth } from './use-width.js';

/** What a timeline needs of a span of work. */
export type TimelineSpan = Pick<ShownSpan, 'lane' | 'title' | 'state' | 'from' | 'to'> & {
  attempt?: number | null;
  error?: string | null;
  /** The address of what it is. */
  link?: string | undefined;
};

interface TimelineProps {
  title: string;
  spans: readonly TimelineSpan[];
  /** What is looked at; from the first span to the last, or to now while one runs, unless given. */
  range?: Range | undefined;
  /** The ends of the drawing where no part of it is looked at. */
  whole?: Range | undefined;
  /** Not all spans are here. */
  isCut?: boolean;
}

interface PlacedSpan extends TimelineSpan {
  start: number;
  /** Now for one that runs. */
  end: number;
  /** Of the rows of its lane, as spans of one lane may overlap. */
  row: number;
}

/** Below this width of the page the names of the lanes stand above them. */
const narrow = 560;
const tickWidth = 76;
/** A bar narrower than this many pixels has no room for words. */
const leastText = 36;

/**
 * Work in time: a row a lane, a bar a span, with the present as a line. Drag over it to look at a part; arrow keys go from
 * bar to bar, Enter opens one, + and - zoom, Escape shows all. As a table for those who have it read to them.
 */
export function Timeline({ title, spans, range, whole, isCut = false }: TimelineProps) {
  const isLive = spans.some(({ to }) => to === null);
  const now = useNow(isLive ? 1_000 : undefined);
  const [element, width] = useWidth<HTMLElement>();
  const [chosen, setChosen] = useState<PlacedSpan>();
  const [isWhole, setWhole] = useState(false);
  const all = whole ?? wholeOf(spans, now);
  const shown = range ?? all;
  const placed = [...placedIn(spans, shown, now)];
  const isLong = placed.length > mostLanes && !isWhole;
  const lanes = new Map(isLong ? placed.slice(-mostLanes) : placed);
  const isNarrow = width < narrow;
  if (spans.length === 0) return null;
  return (
    <figure class={`timeline${isNarrow ? ' narrow' : ''}`} ref={element}>
      <figcaption>
        <strong>{title}</strong>
        <Legend spans={spans} />
        {isLong && (
          <button type="button" class="plain" onClick={() => setWhole(true)}>
            All {number(placed.length)} rows
          </button>
        )}
        {range && (
          <button type="button" class="plain" onClick={() => showRange(undefined)}>
            Show all
          </button>
        )}
      </figcaption>
      <Lanes
        title={title}
        lanes={lanes}
        range={shown}
        whole={all}
        now={now}
        width={width * (isNarrow ? 1 : 1 - nameShare)}
        onChoose={setChosen}
      />
      <p class="timeline-readout" aria-hidden="true">
        {chosen ? (
          <Readout span={chosen} now={now} />
        ) : (
          <span class="quiet">
            {moment(shown.from)} to {moment(shown.to)}
            {isCut ? ' · only the newest are shown' : ''}
          </span>
        )}
      </p>
      <SpanTable title={title} spans={spans} now={now} />
    </figure>
  );
}

/** The newest, until all are asked for. */
const mostLanes = 30;
/** Of the drawing, for the names of the lanes. */
const nameShare = 0.2;

interface LanesProps {
  title: string;
  lanes: ReadonlyMap<string, PlacedSpan[]>;
  range: Range;
  whole: Range;
  now: number;
  /** Of the drawing, in pixels. */
  width: number;
  onChoose(span: PlacedSpan | undefined): void;
}

function Lanes({ title, lanes, range, whole, now, width, onChoose }: LanesProps) {
  const axis = useRef<HTMLDivElement>(null);
  const length = range.to - range.from;
  const timeAt = (fraction: number) => range.from + fraction * length;
  const brush = useBrush(
    (clientX) => {
      const box = axis.current?.getBoundingClientRect();
      return box ? Math.min(1, Math.max(0, (clientX - box.left) / box.width)) : 0;
    },
    (from, to) => showRange({ from: timeAt(from), to: timeAt(to) }),
  );
  const place = (at: number) => `${(((at - range.from) / length) * 100).toFixed(3)}%`;
  /** Around the middle of what is seen of a bar, so that it stays in view; else around the middle of all. */
  const zoom = (factor: number, span: PlacedSpan | undefined) => {
    const [left, right] = [Math.max(range.from, span?.start ?? range.from), Math.min(range.to, span?.end ?? range.to)];
    const [middle, half] = [(left + right) / 2, (length * factor) / 2];
    const next = { from: Math.max(whole.from, middle - half), to: Math.min(whole.to, middle + half) };
    showRange(next.from <= whole.from && next.to >= whole.to ? undefined : next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const bars = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('a.span, span.span')];
    const at = bars.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key];
    const lane = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const focused = [...lanes.values()].flat()[at];
    if (to !== undefined) bars[Math.max(0, to)]?.focus();
    else if (lane !== undefined) barBeside(bars[at], lane)?.focus();
    else if (event.key === '+' || event.key === '=') zoom(0.5, focused);
    else if (event.key === '-') zoom(2, focused);
    else if (event.key === 'Escape') showRange(undefined);
    else return;
    event.preventDefault();
  };
  const ticks = timeTicks(range.from, range.to, Math.max(1, Math.floor(width / tickWidth)));
  let isFirst = true;
  return (
    // biome-ignore lint/a11y/useSemanticElements: the bars are links, which a fieldset does not group.
    <div class="lanes" role="group" aria-label={title} onKeyDown={onKeyDown} {...brush.handlers}>
      <div class="lane axis" aria-hidden="true">
        <span class="lane-name" />
        <div class="track" ref={axis}>
          {ticks.map(({ at, words }) => (
            <span key={at} class="tick" style={{ left: place(at) }}>
              {words}
            </span>
          ))}
          {now >= range.from && now <= range.to && <span class="now-line" style={{ left: place(now) }} />}
          {brush.selected && (
            <span
              class="brushed"
              style={{
                left: `${brush.selected[0] * 100}%`,
                width: `${(brush.selected[1] - brush.selected[0]) * 100}%`,
              }}
            />
          )}
        </div>
      </div>
      {[...lanes].map(([name, spans]) => (
        <div key={name} class="lane">
          <span class="lane-name" title={name}>
            {name}
          </span>
          <div class="track" style={{ '--rows': 1 + Math.max(0, ...spans.map(({ row }) => row)) }}>
            {spans.map((span) => {
              const tabIndex = isFirst ? 0 : -1;
              isFirst = false;
              return (
                <Bar
                  key={`${span.from} ${span.title}`}
                  {...{ span, now, tabIndex, onChoose }}
                  hasRoom={
                    ((Math.min(span.end, range.to) - Math.max(span.start, range.from)) / length) * width > leastText
                  }
                  left={place(Math.max(span.start, range.from))}
                  width={`${((Math.min(span.end, range.to) - Math.max(span.start, range.from)) / length) * 100}%`}
                />
              );
            })}
          </div>
        </div>
      ))}
    </div>
  );
}

interface BarProps {
  span: PlacedSpan;
  now: number;
  tabIndex: number;
  /** Its title fits, or the beginning of it. */
  hasRoom: boolean;
  left: string;
  width: string;
  onChoose(span: PlacedSpan | undefined): void;
}

function Bar({ span, now, tabIndex, hasRoom, left, width, onChoose }: BarProps) {
  const isTouched = useRef(false);
  const common = {
    class: `span ${span.state}`,
    style: { left, width, '--row': span.row },
    tabIndex,
    'aria-label': wordsOf(span, now),
    draggable: false,
    onMouseEnter: () => onChoose(span),
    onMouseLeave: () => onChoose(undefined),
    onFocus: () => onChoose(span),
    onBlur: () => onChoose(undefined),
    onPointerDown: (event: PointerEvent) => {
      // The first touch says what it is, the second opens it.
      isTouched.current = event.pointerType === 'touch' && document.activeElement !== event.currentTarget;
    },
    onClickCapture: (event: MouseEvent) => {
      if (!isTouched.current) return;
      isTouched.current = false;
      event.preventDefault();
      (event.currentTarget as HTMLElement).focus();
    },
  };
  if (!span.link) {
    return (
      <span role="img" {...common}>
        {hasRoom && span.title}
      </span>
    );
  }
  return (
    <Link to={span.link} {...common}>
      {hasRoom && span.title}
    </Link>
  );
}

/** The nearest bar of the lane above or below that has one. */
function barBeside(bar: HTMLElement | undefined, step: number): HTMLElement | undefined {
  const sibling = (element: Element | null | undefined) =>
    step > 0 ? element?.nextElementSibling : element?.previousElementSibling;
  const from = bar?.getBoundingClientRect().left ?? 0;
  for (let lane = sibling(bar?.closest('.lane')); lane; lane = sibling(lane)) {
    const bars = [...lane.querySelectorAll<HTMLElement>('.span')];
    const distance = (one: HTMLElement) => Math.abs(one.getBoundingClientRect().left - from);
    const [nearest] = bars.sort((a, b) => distance(a) - distance(b));
    if (nearest) return nearest;
  }
  return undefined;
}

const stateWords: Readonly<Record<string, string>> = {
  released: 'given back',
  lapsed: 'worker lost',
  lost: 'process lost',
};

export const spanWord = (state: string): string => stateWords[state] ?? state.replaceAll('_', ' ');

function Legend({ spans }: { spans: readonly TimelineSpan[] }) {
  const states = [...new Set(spans.map(({ state }) => state))].sort();
  return (
    <span class="timeline-legend">
      {states.map((state) => (
        <span key={state}>
          <i class={`span ${state}`} />
          {spanWord(state)}
        </span>
      ))}
    </span>
  );
}

function wordsOf({ lane, title, state, start, end, to, attempt, error }: PlacedSpan, now: number): string {
  const took = duration((to === null ? now : end) - start);
  const until = to === null ? 'until now' : `to ${moment(end)}`;
  const tried = attempt && attempt > 1 ? `, attempt ${attempt}` : '';
  return `${title}, ${lane === title ? '' : `${lane}, `}${spanWord(state)}, ${moment(start)} ${until}, ${took}${tried}${error ? `: ${error}` : ''}`;
}

function Readout({ span, now }: { span: PlacedSpan; now: number }) {
  const took = duration((span.to === null ? now : span.end) - span.start);
  return (
    <>
      <strong>{span.title}</strong>
      {span.lane !== span.title && <span>{span.lane}</span>}
      <span>
        <i class={`span ${span.state}`} /> {spanWord(span.state)}
      </span>
      <span>
        {wholeMoment(span.start)} {span.to === null ? 'until now' : `to ${moment(span.end)}`}
      </span>
      <span>{took}</span>
      {span.attempt != null && span.attempt > 1 && <span>attempt {span.attempt}</span>}
      {span.error && <span class="bad">{span.error}</span>}
    </>
  );
}

function SpanTable({ title, spans, now }: { title: string; spans: readonly TimelineSpan[]; now: number }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table ({number(spans.length)})</summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
        <section class="scroll" tabIndex={0} aria-label={`${title} as a table`}>
          <table>
            <thead>
              <tr>
                <th>Row</th>
                <th>What</th>
                <th>State</th>
                <th>From</th>
                <th>To</th>
                <th>Took</th>
              </tr>
            </thead>
            <tbody>
              {spans.map((span) => (
                <tr key={`${span.lane} ${span.from} ${span.title}`}>
                  <td>{span.lane}</td>
                  <td>{span.link ? <Link to={span.link}>{span.title}</Link> : span.title}</td>
                  <td>
                    {spanWord(span.state)}
                    {span.error && <div class="small bad">{span.error}</div>}
                  </td>
                  <td>{wholeMoment(span.from)}</td>
                  <td>{span.to === null ? 'now' : wholeMoment(span.to)}</td>
                  <td class="number">{duration(endOf(span, now) - Date.parse(span.from))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

const endOf = ({ from, to }: TimelineSpan, now: number): number =>
  Math.max(Date.parse(from), to === null ? now : Date.parse(to));

/** From the first to the last, a little wider, so that no bar touches the edge. */
function wholeOf(spans: readonly TimelineSpan[], now: number): Range {
  const from = Math.min(...spans.map((span) => Date.parse(span.from)));
  const to = Math.max(...spans.map((span) => endOf(span, now)));
  const margin = Math.max(500, (to - from) * 0.015);
  return { from: from - margin, to: to + margin };
}

/** The spans of the range by lane, in the order in which lanes begin; those that overlap are in rows of their own. */
function placedIn(spans: readonly TimelineSpan[], { from, to }: Range, now: number): Map<string, PlacedSpan[]> {
  const lanes = new Map<string, PlacedSpan[]>();
  const least = (to - from) * 0.004;
  for (const span of spans) {
    const lane = lanes.get(span.lane) ?? [];
    lanes.set(span.lane, lane);
    const [start, end] = [Date.parse(span.from), endOf(span, now)];
    if (end < from || start > to) continue;
    let row = 0;
    while (
      lane.some((other) => other.row === row && other.start < end && Math.max(other.end, other.start + least) > start)
    )
      row++;
    lane.push({ ...span, start, end, row });
  }
  for (const [name, placed] of lanes) if (placed.length === 0) lanes.delete(name);
  return lanes;
}
