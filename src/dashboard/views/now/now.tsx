import type { Now as NowRead } from '../../../http/page/now.js';
import { Empty, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { Recent } from './recent.js';
import { Running } from './running.js';

const subjects = ['task', 'job', 'goal', 'relay', 'breaker', 'message', 'runtime'];

/** What goes on: what is being worked on, and what has happened in the last hour. */
export function Now() {
  const reading = useRead<NowRead>('page/now', {}, { subjects });
  return (
    <Shown reading={reading}>
      {({ running, running_count, recent }) => (
        <div class="now">
          <section aria-labelledby="now-running">
            <h2 id="now-running">
              Running <b>{running_count}</b>
            </h2>
            {running.length === 0 ? (
              <Empty what="Nothing is being worked on." command="agent-runtime tool create_goal --arg name=..." />
            ) : (
              <Running items={running} total={running_count} />
            )}
          </section>
          <section aria-labelledby="now-recent">
            <h2 id="now-recent">In the last hour</h2>
            <Recent events={recent} />
          </section>
        </div>
      )}
    </Shown>
  );
}
