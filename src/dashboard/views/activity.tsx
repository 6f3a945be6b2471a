import { useCallback, useState } from 'preact/hooks';
import { type Change, useChanges } from '../live.js';
import type { ViewProps } from '../location.js';
import { filter } from '../location.js';
import { Empty, RawJson, Shown } from '../ui/shown.js';
import { Time } from '../ui/time.js';
import { useRead } from '../use-read.js';

interface ChangeList {
  events: Change[];
  next_cursor?: string;
}

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
  const reading = useRead<ChangeList>('get_events', args);
  const [arrived, setArrived] = useState<Change[]>([]);
  useChanges(useCallback((change: Change) => setArrived((before) => [change, ...before].slice(0, mostShown)), []));

  return (
    <>
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
      <Shown reading={reading}>
        {({ events }) => {
          const known = new Set(events.map(({ id }) => id));
          const fresh = arrived.filter(
            (change) =>
              !known.has(change.id) &&
              (subject === '' || change.subject === subject) &&
              (subjectId === '' || change.subject_id === subjectId),
          );
          const all = [...fresh, ...events];
          if (all.length === 0) {
            return <Empty what="Nothing has happened yet." command="agent-runtime tool create_goal --arg name=..." />;
          }
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
                {all.map((change) => (
                  <tr key={change.id}>
                    <td>
                      <Time at={change.at} />
                    </td>
                    <td>
                      {change.subject} {change.subject_id} <strong>{change.type}</strong>
                    </td>
                    <td>{change.actor ?? ''}</td>
                    <td>
                      <RawJson value={change} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Shown>
    </>
  );
}
