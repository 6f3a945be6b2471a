import type { Trends } from '../../../http/page/trends.js';
import { duration, number, short } from '../../ui/format.js';
import { type Line, LineChart } from '../../ui/line-chart.js';
import { timeOf } from './chart-time.js';
import type { Intervals } from './intervals.js';

type Stretch = Trends['stretches'][number];

/** What happened in each interval of a range; dragging over a chart looks at that part of it. */
export function Charts({ stretches, intervals }: { stretches: readonly Stretch[]; intervals: Intervals }) {
  const { length, words } = intervals;
  const line = (name: string, value: (stretch: Stretch) => number | undefined, more: Partial<Line> = {}): Line => ({
    name,
    points: stretches.flatMap((stretch) => {
      const y = value(stretch);
      return y === undefined ? [] : [{ x: Date.parse(stretch.at), y }];
    }),
    ...more,
  });
  const time = timeOf(intervals);
  const has = (...names: (keyof Stretch)[]) => stretches.some((stretch) => names.some((name) => stretch[name]));
  return (
    <div class="charts">
      {has('completed', 'failed', 'cancelled') && (
        <LineChart
          {...time}
          title={`Jobs that ended ${words}`}
          lines={[
            line('Completed', ({ completed }) => completed, { tone: 'completed' }),
            line('Failed', ({ failed }) => failed, { tone: 'failed' }),
            line('Cancelled', ({ cancelled }) => cancelled, { tone: 'cancelled' }),
          ]}
          showY={number}
          isWhole
          isBars
          linkOf={(at) => jobsWithin(at - length, at)}
        />
      )}
      {has('job_seconds') && (
        <LineChart
          {...time}
          title="How long jobs took"
          lines={[
            line('Median', ({ job_seconds }) => job_seconds?.median),
            line('95 % within', ({ job_seconds }) => job_seconds?.p95),
          ]}
          showY={seconds}
          isDuration
          linkOf={(at) => jobsWithin(at - length, at)}
        />
      )}
      {has('queued', 'running') && (
        <LineChart
          {...time}
          title="Queue"
          lines={[line('Waiting', ({ queued }) => queued), line('Running', ({ running }) => running)]}
          showY={number}
          isWhole
        />
      )}
      {has('input_tokens', 'output_tokens') && (
        <LineChart
          {...time}
          title={`Tokens ${words}`}
          lines={[line('In', ({ input_tokens }) => input_tokens), line('Out', ({ output_tokens }) => output_tokens)]}
          showY={short}
          showExactY={number}
          isBars
          linkOf={(at) => jobsWithin(at - length, at)}
        />
      )}
      {has('tasks_completed', 'tasks_failed') && (
        <LineChart
          {...time}
          title={`Tasks that ended ${words}`}
          lines={[
            line('Completed', ({ tasks_completed }) => tasks_completed, { tone: 'completed' }),
            line('Failed', ({ tasks_failed }) => tasks_failed, { tone: 'failed' }),
          ]}
          showY={number}
          isWhole
          isBars
        />
      )}
      {has('task_seconds') && (
        <LineChart
          {...time}
          title="How long tasks took, from start to end"
          lines={[
            line('Median', ({ task_seconds }) => task_seconds?.median),
            line('90 % within', ({ task_seconds }) => task_seconds?.p90),
          ]}
          showY={seconds}
          isDuration
        />
      )}
    </div>
  );
}

const seconds = (value: number): string => duration(value * 1000);

const iso = (at: number): string => encodeURIComponent(new Date(at).toISOString());

const jobsWithin = (from: number, to: number): string => `/jobs?ended_since=${iso(from)}&ended_before=${iso(to)}`;
