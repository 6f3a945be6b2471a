import type { ToldEvent } from '../../../http/page/activity/activity.js';
import { Link } from '../../location.js';
import { ToldEvents } from '../../ui/told.js';

/** What has happened lately, newest first; in so narrow a column without the goals of the tasks. */
export function Recent({ events }: { events: readonly ToldEvent[] }) {
  return (
    <>
      {events.length === 0 && <p class="quiet">Nothing.</p>}
      <ToldEvents events={events} isOfGoal />
      <Link to="/activity">All activity</Link>
    </>
  );
}
