import type { ShownEvent } from '../../../tools/shapes/event.js';
import { Link } from '../../location.js';
import { Name } from '../../ui/name.js';
import { Time } from '../../ui/time.js';

/** What has happened lately, newest first. */
export function Recent({ events }: { events: readonly ShownEvent[] }) {
  return (
    <>
      {events.length === 0 && <p class="quiet">Nothing.</p>}
      <ol class="history">
        {events.map((event) => (
          <li key={event.id}>
            <Time at={event.at} />
            <span>
              <Subject event={event} /> <strong>{event.type.replaceAll('_', ' ')}</strong>
              {event.actor && (
                <>
                  {' by '}
                  <Name of={event.actor} />
                </>
              )}
            </span>
          </li>
        ))}
      </ol>
      <Link to="/activity">All activity</Link>
    </>
  );
}

const named = ['task', 'goal', 'job', 'relay'];

function Subject({ event: { subject, subject_id } }: { event: ShownEvent }) {
  if (named.includes(subject)) return <Name of={`${subject}:${subject_id}`} />;
  if (subject === 'breaker') return <Link to={`/breakers/${encodeURIComponent(subject_id)}`}>{subject_id}</Link>;
  return (
    <>
      {subject} {subject_id}
    </>
  );
}
