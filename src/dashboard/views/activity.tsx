import { useCallback, useState } from 'preact/hooks';
import type { StreamedEvent } from '../../http/event-stream.js';
import type { Page } from '../../tools/call/page.js';
import type { ShownEvent } from '../../tools/shapes/event.js';
import { type Arguments, read } from '../api.js';
import { useChanges } from '../live.js';
import type { ViewProps } from '../location.js';
import { filter } from '../location.js';
import { act } from '../ui/notices.js';
import { Empty, RawJson, Shown } from '../ui/shown.js';
import { Time } from '../ui/time.js';
import { useRead } from '../use-read.js';

/** In the order of the choice; the compiler knows whether one is missing. */
const subjects: Readonly<Record<StreamedEvent['subject'], true>> = {
  goal: true,
  task: true,
  session: true,
  slot: true,
  message: true,
  path: true,
  job: true,
  runner: true,
  breaker: true,
  relay: true,
  server: true,
  tool: true,
  schedule: true,
  runtime: true,
};
const mostArrived = 500;

type EventPage = Page<'events', ShownEvent>;

/** All changes, newest first. */
export function Activity({ query }: ViewProps) {
  const subject = query.get('subject') ?? '';
  const subjectId = subject === '' ? '' : (query.get('id') ?? '');
  const args = {
    limit: 100,
    ...(subject === '' ? {} : { subject }),
    ...(subjectId === '' ? {} : { subject_id: subjectId }),
  };
  const reading = useRead<EventPage>('get_events', args);
  const [arrived, setArrived] = useState<StreamedEvent[]>([]);
  const older = useOlder(args, reading.data?.next_cursor);
  useChanges(useCallback((event: StreamedEvent) => setArrived((last) => [event, ...last].slice(0, mostArrived)), []));

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
          const all = [...fresh, ...events, ...older.events];
          return all.length === 0 ? (
            <Empty what="Nothing has happened yet." command="agent-runtime tool create_goal --arg name=..." />
          ) : (
            <>
              <Events events={all} />
              {older.more && (
                <button type="button" class="more" onClick={older.more}>
                  Show older
                </button>
              )}
            </>
          );
        }}
      </Shown>
    </>
  );
}

/** The pages after the first one, as far as they were asked for. */
function useOlder(args: Arguments, firstCursor: string | undefined) {
  const key = JSON.stringify(args);
  const none = { key, events: [] as ShownEvent[], cursor: undefined as string | undefined, isBegun: false };
  const [kept, setKept] = useState(none);
  const { events, cursor, isBegun } = kept.key === key ? kept : none;
  const next = isBegun ? cursor : firstCursor;
  if (next === undefined) return { events, more: undefined };
  const more = async () => {
    const page = await read<EventPage>('get_events', { ...args, cursor: next });
    setKept({ key, events: [...events, ...page.events], cursor: page.next_cursor, isBegun: true });
  };
  return { events, more: () => void act(more, undefined) };
}

function SubjectFilter({ subject, subjectId }: { subject: string; subjectId: string }) {
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        Of
        <select value={subject} onChange={(event) => filter({ subject: event.currentTarget.value, id: '' })}>
          <option value="">everything</option>
          {Object.keys(subjects).map((name) => (
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
