import { useEffect, useState } from 'preact/hooks';
import type { Now as NowRead } from '../../../http/page/now.js';
import { usePollInterval } from '../../live.js';
import { countsByView, useAttentionReading } from '../../shell/attention.js';
import { Empty, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { Needs } from './needs.js';
import { Recent } from './recent.js';
import { Running } from './running.js';

const subjects = ['task', 'job', 'goal', 'relay', 'breaker', 'message', 'runtime'];
/** Output and progress grow without a recorded change. */
const pollMs = 2_000;

/** What goes on: what needs a person, what is being worked on, and what has happened in the last hour. */
export function Now() {
  const attention = useAttentionReading();
  const [isBusy, setBusy] = useState(false);
  const reading = useRead<NowRead>('page/now', {}, { subjects, everyMs: usePollInterval(pollMs, isBusy) });
  const count = reading.data?.running_count;
  useEffect(() => setBusy(count !== undefined && count > 0), [count]);
  return (
    <div class="now">
      <section aria-labelledby="now-needs">
        <h2 id="now-needs">
          Needs you <Total of={countsByView(attention.data).get('now')} />
        </h2>
        <Shown reading={attention}>{(data) => <Needs {...data} />}</Shown>
      </section>
      <section aria-labelledby="now-running" class="now-running">
        <h2 id="now-running">
          Running <Total of={reading.data?.running_count} />
        </h2>
        <Shown reading={reading}>
          {({ running, running_count }) =>
            running.length === 0 ? (
              <Empty what="Nothing is being worked on." command="agent-runtime tool create_goal --arg name=..." />
            ) : (
              <Running items={running} total={running_count} />
            )
          }
        </Shown>
      </section>
      <section aria-labelledby="now-recent" class="now-recent">
        <h2 id="now-recent">In the last hour</h2>
        <Shown reading={{ ...reading, error: undefined }}>{(data) => <Recent {...data} />}</Shown>
      </section>
    </div>
  );
}

function Total({ of }: { of: number | undefined }) {
  return of ? <b>{of}</b> : null;
}
