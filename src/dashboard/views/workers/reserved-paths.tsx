import type { ShownReserved } from '../../../tools/shapes/reservation.js';
import { Link } from '../../location.js';
import { Name } from '../../ui/name.js';
import { Time } from '../../ui/time.js';

/** The paths that sessions have reserved: who has them, and until when. */
export function ReservedPaths({ paths, count }: ShownReserved) {
  if (paths.length === 0) {
    return <p class="quiet">None. A session reserves files before it edits them with reserve_paths.</p>;
  }
  return (
    <>
      <table class="holdings">
        <thead>
          <tr>
            <th>Path</th>
            <th>Reserved by</th>
            <th>Lease ends</th>
          </tr>
        </thead>
        <tbody>
          {paths.map(({ glob, by, shared, until, reason, task }) => (
            <tr key={`${glob} ${by}`}>
              <td class="path">{glob}</td>
              <td data-name="Reserved by">
                <strong>
                  <Name of={by} />
                </strong>{' '}
                {shared && <span class="quiet">with others</span>}
                {(reason !== undefined || task !== undefined) && (
                  <div class="quiet small">
                    {reason} {task !== undefined && <Link to={`/board/task/${task}`}>task {task}</Link>}
                  </div>
                )}
              </td>
              <td data-name="Lease ends">
                <Time at={until} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > paths.length && <p class="quiet">and {count - paths.length} more</p>}
    </>
  );
}
