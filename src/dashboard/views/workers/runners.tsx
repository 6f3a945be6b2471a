import type { RunnerList } from '../../../http/page/runners.js';
import { Link } from '../../location.js';
import { spanOf } from '../../ui/format.js';
import { Status } from '../../ui/state.js';
import { Time, useNow } from '../../ui/time.js';

const lanes: Readonly<Record<string, string>> = { call: 'model calls', process: 'other jobs' };

/** The processes that do jobs in the background, with what each carries. */
export function Runners({ runners }: RunnerList) {
  const now = useNow(runners.some(({ jobs }) => jobs.length > 0) ? 1_000 : undefined);
  if (runners.length === 0) return <p class="quiet">None runs. One is started when a job is submitted.</p>;
  return (
    <table class="holdings runners">
      <thead>
        <tr>
          <th>Runner</th>
          <th>State</th>
          <th>Load</th>
          <th>Carries</th>
        </tr>
      </thead>
      <tbody>
        {runners.map((runner) => (
          <tr key={runner.id}>
            <td>
              <strong>{lanes[runner.lane] ?? runner.lane}</strong>
              <div class="quiet small">
                {runner.pid !== null && `process ${runner.pid}, `}since <Time at={runner.started_at} />
              </div>
            </td>
            <td>
              <Status word={runner.state} />
            </td>
            <td class="number">
              {runner.jobs.length} {runner.capacity > 0 ? `of ${runner.capacity}` : 'and takes no more'}
            </td>
            <td>
              {runner.jobs.length === 0 && <span class="quiet">nothing</span>}
              {runner.jobs.map((job) => (
                <div key={job.id}>
                  <Link to={`/jobs/${encodeURIComponent(job.id)}`}>{job.name}</Link>{' '}
                  <span class="quiet small">{spanOf(job.started_at, null, now)}</span>
                </div>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
