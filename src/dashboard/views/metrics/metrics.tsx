import type { Trends } from '../../../http/page/jobs.js';
import type { ShownMetrics } from '../../../tools/shapes/metrics.js';
import { usePollInterval } from '../../live.js';
import type { ViewProps } from '../../location.js';
import { filter } from '../../location.js';
import { number, percent, short } from '../../ui/format.js';
import { LineChart } from '../../ui/line-chart.js';
import { Empty, RawJson, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { Types } from './job-types.js';
import { TaskFigures } from './task-figures.js';

type Stretch = Trends['stretches'][number];

/** The windows of time to choose from, and the number of intervals of each. */
const windows = [
  { minutes: 15, words: '15 min', stretches: 30 },
  { minutes: 60, words: '1 h', stretches: 60 },
  { minutes: 360, words: '6 h', stretches: 72 },
  { minutes: 1_440, words: '1 d', stretches: 96 },
  { minutes: 10_080, words: '7 d', stretches: 84 },
];
/** Not after each change, as the whole window is read; a week is read rarely. */
const pollMs = 5_000;
const longPollMs = 60_000;

/** The runtime over time: throughput, errors, queue and tokens. */
export function Metrics({ query }: ViewProps) {
  const minutes = Number(query.get('window') ?? 60);
  const chosen = windows.find((window) => window.minutes === minutes) ?? windows[1];
  const { minutes: window_minutes = 60, stretches = 60 } = chosen ?? {};
  const options = { everyMs: usePollInterval(window_minutes > 360 ? longPollMs : pollMs, true), keepsLast: true };
  const trends = useRead<Trends>('page/trends', { window_minutes, stretches }, options);
  const metrics = useRead<ShownMetrics>('get_metrics', { window_minutes }, options);
  return (
    <>
      <div class="toolbar">
        <fieldset class="tabs" aria-label="Window">
          {windows.map(({ minutes: one, words }) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === window_minutes}
              onClick={() => filter({ window: one === 60 ? '' : String(one) })}
            >
              {words}
            </button>
          ))}
        </fieldset>
      </div>
      <Shown reading={metrics}>
        {(read) => (
          <>
            {read.totals.jobs_submitted === 0 ? (
              <Empty
                what="Nothing to measure yet: no job has ever been submitted."
                command="agent-runtime submit --type generic --config '{}'"
              />
            ) : (
              <Types metrics={read} />
            )}
            <TaskFigures tasks={read.tasks} />
          </>
        )}
      </Shown>
      <Shown reading={trends}>
        {(read) => (
          <>
            {read.stretches.some(hasAnything) ? (
              <Charts {...read} />
            ) : (
              <p class="quiet">Nothing has happened in this window.</p>
            )}
            <RawJson value={{ ...read, metrics: metrics.data }} />
          </>
        )}
      </Shown>
    </>
  );
}

const hasAnything = ({ submitted, completed, failed, cancelled, queued, running }: Stretch): boolean =>
  submitted + completed + failed + cancelled + queued + running > 0;

function Charts({ window_minutes, stretches }: Trends) {
  const perMinute = window_minutes / stretches.length;
  const line = (name: string, value: (stretch: Stretch) => number) => ({
    name,
    points: stretches.map((stretch) => ({ x: Date.parse(stretch.at), y: value(stretch) })),
  });
  // An interval in which no job ended has no error rate; 0 would claim that all went well.
  const ended = stretches.filter(({ completed, failed }) => completed + failed > 0);
  const errors = {
    name: 'Failed',
    points: ended.map(({ at, completed, failed }) => ({ x: Date.parse(at), y: failed / (completed + failed) })),
  };
  const times = stretches.map(({ at }) => Date.parse(at));
  const span = [times[0] ?? 0, times.at(-1) ?? 0] as const;
  const time = { axis: 'Until', showX: window_minutes > 1_440 ? showDay : showTime, fromZero: true, span };
  return (
    <div class="charts">
      <LineChart
        {...time}
        title="Jobs a minute"
        lines={[
          line('Submitted', ({ submitted }) => submitted / perMinute),
          line('Completed', ({ completed }) => completed / perMinute),
        ]}
        showY={number}
      />
      {ended.length > 0 && <LineChart {...time} title="Error rate" lines={[errors]} showY={percent} />}
      <LineChart
        {...time}
        title="Queue"
        lines={[line('Waiting', ({ queued }) => queued), line('At work', ({ running }) => running)]}
        showY={number}
        isWhole
      />
      <LineChart
        {...time}
        title="Tokens"
        lines={[line('In', ({ input_tokens }) => input_tokens), line('Out', ({ output_tokens }) => output_tokens)]}
        showY={short}
        showExactY={number}
      />
    </div>
  );
}

const showTime = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const showDay = (at: number): string => new Date(at).toLocaleDateString([], { month: 'short', day: 'numeric' });
