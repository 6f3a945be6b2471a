import { useState } from 'preact/hooks';
import type { Page } from '../../tools/call/page.js';
import type { ShownEvent } from '../../tools/shapes/event.js';
import { useRead } from '../use-read.js';
import { Name } from './name.js';
import { Shown } from './shown.js';
import { Time } from './time.js';

interface HistoryProps {
  subject: string;
  id: number | string;
}

const few = 20;
const many = 200;

/** The history of one subject, newest first. */
export function History({ subject, id }: HistoryProps) {
  const [limit, setLimit] = useState(few);
  const reading = useRead<Page<'events', ShownEvent>>(
    'get_events',
    { subject, subject_id: String(id), limit },
    { subjects: [subject], keepsLast: true },
  );
  return (
    <section>
      <h3>History</h3>
      <Shown reading={reading}>
        {({ events, next_cursor }) => (
          <>
            <ol class="history">
              {events.map((event) => (
                <li key={event.id}>
                  <Time at={event.at} />
                  <div>
                    <strong>{event.type}</strong>{' '}
                    {event.actor && (
                      <span class="quiet">
                        by <Name of={event.actor} />
                      </span>
                    )}
                    <Details data={event.data} subject={subject} />
                  </div>
                </li>
              ))}
            </ol>
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

/** The data of a change, as name and value. */
function Details({ data = {}, subject }: Pick<ShownEvent, 'data'> & { subject: string }) {
  const shown = Object.entries(data).flatMap(([name, value]) => {
    if (value === null) return [];
    // Programs count the steps of a relay from 0, people from 1.
    const isStep = subject === 'relay' && name === 'step' && typeof value === 'number';
    return [[name === 'l_score' ? 'l-score' : name, isStep ? value + 1 : value] as const];
  });
  if (shown.length === 0) return null;
  return (
    <div class="details">
      {shown.map(([name, value]) => (
        <span key={name}>
          {name.replaceAll('_', ' ')}: {typeof value === 'string' ? value : JSON.stringify(value)}
        </span>
      ))}
    </div>
  );
}
