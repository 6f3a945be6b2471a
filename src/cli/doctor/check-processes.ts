import { systemClock } from '../../base/clock.js';
import { identityOf as identityOfSession } from '../../core/process-identity.js';
import type { SessionRow } from '../../core/coordination/sessions.js';
import { identityOf, type RunnerRow } from '../../core/jobs/runners.js';
import type { ProcessIdentity } from '../../core/ports.js';
import { systemProcesses } from '../../runner/identity.js';
import type { Connection } from '../../store/driver.js';
import { type Check, checksOf } from './check.js';

const { ok } = checksOf('Processes');

/** Who is at work on this database, as its rows say and the operating system confirms. */
export function checkProcesses(connection: Connection): Check[] {
  const sessions = connection.prepare<[], SessionRow>('select * from sessions where ended_at is null').all();
  const runners = connection.prepare<[], RunnerRow>('select * from runners where ended_at is null').all();
  return [
    describe('sessions', sessions.map(identityOfSession), 'whoever starts next frees what they held'),
    describe('runners', runners.map(identityOf), 'the next session gives their jobs to new ones'),
  ];
}

/** A runner that is just starting has no identity yet. */
function describe(name: string, identities: (ProcessIdentity | undefined)[], afterwards: string): Check {
  const { liveness } = systemProcesses(systemClock().bootId);
  const states = identities.map((identity) => (identity ? liveness(identity) : 'starting'));
  const alive = identities.filter((_, index) => states[index] === 'alive');
  const pids = alive.map((identity) => identity?.pid).join(', ');
  const parts = [alive.length > 0 ? `${alive.length} alive (pid ${pids})` : 'none alive'];
  const count = (state: string) => states.filter((found) => found === state).length;
  if (count('starting') > 0) parts.push(`${count('starting')} starting`);
  if (count('unknown') > 0) parts.push(`${count('unknown')} on other hosts or in other containers`);
  if (count('dead') > 0) parts.push(`${count('dead')} gone without a word; ${afterwards}`);
  return ok(name, parts.join(', '));
}
