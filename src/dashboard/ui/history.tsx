import { useState } from 'preact/hooks';
import type { ActivityPage } from '../../http/page/activity/activity.js';
import { useRead } from '../use-read.js';
import { Shown } from './shown.js';
import { ToldEvents } from './told.js';

interface HistoryProps {
  subject: string;
  id: number | string;
}

const few = 20;
const many = 200;

/** The history of one subject, newest first. */
export function History({ subject, id }: HistoryProps) {
  const [limit, setLimit] = useState(few);
  const reading = useRead<ActivityPage>(
    'page/activity',
    { kind: subject, subject_id: String(id), limit },
    { subjects: [subject], keepsLast: true },
  );
  return (
    <section>
      <h3>History</h3>
      <Shown reading={reading}>
        {({ events, next_cursor }) => (
          <>
            <ToldEvents events={events} isOfGoal />
            {next_cursor && limit === few && (
              <button type="button" onClick={() => setLimit(many)}>
                Show more
              </button>
            )}
            {next_cursor && limit === many && <p class="quiet">The newest {events.length} are shown.</p>}
          </>
        )}
      </Shown>
    </section>
  );
}
