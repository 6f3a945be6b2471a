import type { ShownTimeline } from '../../../http/page/timeline.js';
import { rangeIn } from '../../ui/range.js';
import { RangePicker } from '../../ui/range-picker.js';
import { Shown } from '../../ui/shown.js';
import { linkOf } from '../../ui/span-link.js';
import { useNow } from '../../ui/time.js';
import { Timeline } from '../../ui/timeline.js';
import { useRead } from '../../use-read.js';

const usual = 360;
const windows = [
  { minutes: 60, words: '1 h' },
  { minutes: usual, words: '6 h' },
  { minutes: 1_440, words: '1 d' },
  { minutes: 10_080, words: '7 d' },
];
const subjects = ['task', 'job', 'runtime'];

/** Who worked on what in the last hours. */
export function WorkTimeline({ query }: { query: URLSearchParams }) {
  const range = rangeIn(query);
  const minutes = Number(query.get('window')) || usual;
  const asked = range
    ? { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() }
    : { window_minutes: minutes };
  const reading = useRead<ShownTimeline>('page/timeline', asked, { subjects, keepsLast: true });
  const now = useNow(15_000);
  const whole = {
    from: Math.min(now - minutes * 60_000, range?.from ?? now),
    to: now + minutes * 600,
  };
  return (
    <section>
      <div class="range-head">
        <h2>Who worked on what</h2>
        <RangePicker query={query} windows={windows} usual={usual} />
      </div>
      <Shown reading={reading}>
        {({ spans, cut }) =>
          spans.length === 0 ? (
            <p class="quiet">Nobody has worked on anything in this time.</p>
          ) : (
            <Timeline
              title="Work by worker"
              spans={spans.map((span) => ({ ...span, link: linkOf(span) }))}
              range={range}
              whole={whole}
              isCut={cut}
            />
          )
        }
      </Shown>
    </section>
  );
}
