import type { ShownEvent } from '../../../tools/shapes/event.js';
import { Link } from '../../location.js';
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
              {event.subject} {event.subject_id} <strong>{event.type.replaceAll('_', ' ')}</strong>
            </span>
          </li>
        ))}
      </ol>
      <Link to="/activity">All activity</Link>
    </>
  );
}
