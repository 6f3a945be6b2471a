import type { Holdings, SessionList } from '../../../http/page/sessions.js';
import { Link } from '../../location.js';
import { Name } from '../../ui/name.js';
import { Time, useNow } from '../../ui/time.js';

/** Three heartbeats. */
const silentMs = 30_000;
const mostTasks = 8;

/** The sessions, live ones first, with what each holds. */
export function Sessions({ sessions, others, chosen }: SessionList & { chosen: string | null }) {
  const now = useNow(10_000);
  const hasProjects = sessions.some(({ project }) => project !== '');
  return (
    <table class="holdings sessions">
      <thead>
        <tr>
          <th>Client</th>
          {hasProjects && <th>Project</th>}
          <th>Last heartbeat</th>
          <th>Holds</th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <tr
            key={session.id}
            class={session.ended_at ? 'ended' : ''}
            aria-current={session.holder === chosen ? 'true' : undefined}
          >
            <td>
              <strong>
                <Name of={session.holder} isLinked={false} />
              </strong>
              <div class="quiet small" title={session.holder}>
                {session.client_version && `version ${session.client_version}, `}process {session.pid}, since{' '}
                <Time at={session.started_at} />
              </div>
            </td>
            {hasProjects && <td class="path">{session.project || <span class="quiet">none</span>}</td>}
            <td>
              {session.ended_at ? (
                <span class="quiet">
                  ended <Time at={session.ended_at} />
                </span>
              ) : (
                <span class={now - new Date(session.heartbeat_at).getTime() > silentMs ? 'fact bad' : ''}>
                  <Time at={session.heartbeat_at} />
                </span>
              )}
            </td>
            <td>
              <Held {...session} />
            </td>
          </tr>
        ))}
        {others.map((other) => (
          <tr key={other.holder}>
            <td>
              <strong>
                <Name of={other.holder} />
              </strong>
              <div class="quiet small">without a session: what it holds lives by its lease</div>
            </td>
            {hasProjects && <td />}
            <td>
              <span class="quiet">–</span>
            </td>
            <td>
              <Held {...other} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Held({ slots, tasks, jobs }: Holdings) {
  const words = [
    slots.length > 0 && `slot ${slots.join(', ')}`,
    jobs.running > 0 && `${jobs.running} running in the background`,
    jobs.pending > 0 && `${jobs.pending} queued`,
  ].filter(Boolean);
  if (words.length === 0 && tasks.length === 0) return <span class="quiet">nothing</span>;
  return (
    <>
      {words.length > 0 && <div>{words.join(' · ')}</div>}
      {tasks.slice(0, mostTasks).map((task) => (
        <div key={task.id}>
          <Link to={`/board/task/${task.id}`}>{task.title}</Link>{' '}
          <span class="quiet small">
            {task.worker && `${task.worker}, `}lease ends <Time at={task.lease_expires_at} />
          </span>
        </div>
      ))}
      {tasks.length > mostTasks && <div class="quiet">and {tasks.length - mostTasks} more</div>}
    </>
  );
}
