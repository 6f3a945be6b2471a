import { useCallback, useState } from 'preact/hooks';
import type { StreamedEvent } from '../../http/event-stream.js';
import type { Page } from '../../tools/call/page.js';
import type { ShownEvent } from '../../tools/shapes/event.js';
import { useChanges } from '../live.js';
import type { ViewProps } from '../location.js';
import { filter } from '../location.js';
import { Empty, RawJson, Shown } from '../ui/shown.js';
import { Time } from '../ui/time.js';
import { useRead } from '../use-read.js';

const subjects = ['goal', 'task', 'session', 'slot', 'job', 'runner', 'breaker', 'relay', 'runtime'];
const mostShown = 500;

/** All changes, newest first. */
export function Activity({ query }: ViewProps) {
  const subject = query.get('subject') ?? '';
  const subjectId = subject === '' ? '' : (query.get('id') ?? '');
  const args = {
    limit: 100,
    ...(subject === '' ? {} : { subject }),
    ...(subjectId === '' ? {} : { subject_id: subjectId }),
  };
  const reading = useRead<Page<'events', ShownEvent>>('get_events', args);
  const [arrived, setArrived] = useState<StreamedEvent[]>([]);
  useChanges(useCallback((event: StreamedEvent) => setArrived((last) => [event, ...last].slice(0, mostShown)), []));

  return (
    <>
      <SubjectFilter subject={subject} subjectId={subjectId} />
      <Shown reading={reading}>
        {({ events }) => {
          const known = new Set(events.map(({ id }) => id));
          const fresh = arrived.filter(
            (event) =>
              !known.has(event.id) &&
              (subject === '' || event.subject === subject) &&
              (subjectId === '' || event.subject_id === subjectId),
          );
          const all = [...fresh, ...events];
          return all.length === 0 ? (
            <Empty what="Nothing has happened yet." command="agent-runtime tool create_goal --arg name=..." />
          ) : (
            <Events events={all} />
          );
        }}
      </Shown>
    </>
  );
}

function SubjectFilter({ subject, subjectId }: { subject: string; subjectId: string }) {
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        Of
        <select value={subject} onChange={(event) => filter({ subject: event.currentTarget.value, id: '' })}>
          <option value="">everything</option>
          {subjects.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {subject !== '' && (
        <label>
          Id
          <input value={subjectId} onInput={(event) => filter({ id: event.currentTarget.value })} />
        </label>
      )}
    </form>
  );
}

function Events({ events }: { events: readonly (ShownEvent | StreamedEvent)[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>When</th>
          <th>What</th>
          <th>By</th>
          <th>Details</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <td>
              <Time at={event.at} />
            </td>
            <td>
              {event.subject} {event.subject_id} <strong>{event.type}</strong>
            </td>
            <td>{event.actor ?? ''}</td>
            <td>
              <RawJson value={event} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
