import type { QueueWorkerList } from '../../../http/page/queue-workers.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';

/** The long-lived processes that work the queue. */
export function QueueWorkers({ workers }: QueueWorkerList) {
  return (
    <ul class="slots">
      {workers.map(({ id, state, pid, types, provides, calls, processes, running, heartbeat_at }) => (
        <li key={id}>
          <div class="slot active">
            <div class="slot-inside">
              <strong>{id}</strong> <Status word={state} />
              <span>
                {running} {running === 1 ? 'job' : 'jobs'} now, up to {calls} model calls and {processes} others
              </span>
              <span class="quiet small">
                {types ? types.join(', ') : 'every type'}
                {provides.length > 0 && ` · has ${provides.join(', ')}`} · process {pid} · seen{' '}
                <Time at={heartbeat_at} />
              </span>
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}
