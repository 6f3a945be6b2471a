import type { ToldEvent } from '../../../http/page/activity/activity.js';
import { Link } from '../../location.js';
import { ToldEvents } from '../../ui/told.js';

/** What has happened lately, newest first. */
export function Recent({ events }: { events: readonly ToldEvent[] }) {
  return (
    <>
      {events.length === 0 && <p class="quiet">Nothing.</p>}
      <ToldEvents events={events} />
      <Link to="/activity">All activity</Link>
    </>
  );
}
