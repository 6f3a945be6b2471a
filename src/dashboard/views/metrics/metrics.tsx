import type { Trends } from '../../../http/page/trends.js';
import type { ShownMetrics } from '../../../tools/shapes/metrics.js';
import { usePollInterval } from '../../live.js';
import type { ViewProps } from '../../location.js';
import { rangeIn } from '../../ui/range.js';
import { RangePicker } from '../../ui/range-picker.js';
import { Empty, RawJson, Shown } from '../../ui/shown.js';
import { useNow } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { Charts } from './charts.js';
import { Cost } from './cost.js';
import { intervalsOf } from './intervals.js';
import { Types } from './job-types.js';
import { TaskFigures } from './task-figures.js';

type Stretch = Trends['stretches'][number];

const usual = 60;
const windows = [
  { minutes: 15, words: '15 min' },
  { minutes: usual, words: '1 h' },
  { minutes: 360, words: '6 h' },
  { minutes: 1_440, words: '1 d' },
  { minutes: 10_080, words: '7 d' },
  { minutes: 43_200, words: '30 d' },
];
/** Not after each change, as the whole window is read; a week is read rarely. */
const pollMs = 5_000;
const longPollMs = 60_000;

/** The runtime over time: what ended and how long it took, the queue and tokens. */
export function Metrics({ query }: ViewProps) {
  const range = rangeIn(query);
  const minutes = windows.find(({ minutes: one }) => String(one) === query.get('window'))?.minutes ?? usual;
  const now = useNow(pollMs);
  const intervals = intervalsOf(range ?? { from: now - minutes * 60_000, to: now });
  const everyMs = usePollInterval(minutes > 360 ? longPollMs : pollMs, range === undefined);
  const options = { everyMs, keepsLast: true };
  const asked = { from: iso(intervals.from), to: iso(intervals.to) };
  const trends = useRead<Trends>('page/trends', { ...asked, stretches: intervals.count }, options);
  const figures = range ? { from: iso(range.from), to: iso(range.to) } : { window_minutes: minutes };
  const metrics = useRead<ShownMetrics>('page/metrics', figures, options);
  return (
    <>
      <div class="toolbar range-head">
        <RangePicker query={query} windows={windows} usual={usual} />
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
            <TaskFigures tasks={read.tasks} ms={read.window_minutes * 60_000} />
          </>
        )}
      </Shown>
      <Shown reading={trends}>
        {(read) => (
          <>
            {read.stretches.some(hasAnything) ? (
              // Drawn as they were read, which may be before the newest interval began.
              <Charts
                stretches={read.stretches}
                intervals={{ ...intervals, from: Date.parse(read.from), to: Date.parse(read.to) }}
              />
            ) : (
              <p class="quiet">Nothing has happened in this time.</p>
            )}
            <Cost intervals={intervals} everyMs={everyMs} />
            <RawJson value={{ ...read, metrics: metrics.data }} />
          </>
        )}
      </Shown>
    </>
  );
}

const iso = (at: number): string => new Date(at).toISOString();

const hasAnything = (stretch: Stretch): boolean =>
  stretch.submitted + stretch.completed + stretch.failed + stretch.cancelled + stretch.queued + stretch.running > 0 ||
  stretch.tasks_completed + stretch.tasks_failed > 0;
