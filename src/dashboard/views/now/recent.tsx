import type { Now } from '../../../http/page/now.js';
import { Link } from '../../location.js';
import { ToldEvents } from '../../ui/told.js';
import { foldEqual } from './fold-equal.js';

/** What has happened lately, newest first; in so narrow a column without the goals of the tasks. */
export function Recent({ recent, names }: Pick<Now, 'recent' | 'names'>) {
  return (
    <>
      {recent.length === 0 && <p class="quiet">Nothing.</p>}
      <ToldEvents events={foldEqual(recent, names)} isOfGoal />
      <Link to="/activity">All activity</Link>
    </>
  );
}
