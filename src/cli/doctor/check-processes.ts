import { systemClock } from '../../base/clock.js';
import type { SessionRow } from '../../core/coordination/sessions.js';
import { identityOf as identityOfRunner, type RunnerRow } from '../../core/jobs/runners.js';
import type { ProcessIdentity } from '../../core/ports.js';
import { type IdentityRow, identityOf } from '../../core/process-identity.js';
import { systemProcesses } from '../../runner/identity.js';
import type { Sql } from '../../store/sql.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Processes');

/** The rows of sessions and runners that have not ended. */
export interface OpenRows {
  sessions: SessionRow[];
  runners: RunnerRow[];
}

type Read = Pick<Sql, 'all'>;

export async function readOpenRows(read: Read): Promise<OpenRows> {
  return {
    sessions: await read.all<SessionRow>('select * from sessions where ended_at is null'),
    runners: await read.all<RunnerRow>('select * from runners where ended_at is null'),
  };
}

/** What uses a database, and what fires its schedules, by its rows and the operating system. */
export async function checkProcesses(read: Read, { sessions, runners }: OpenRows): Promise<Check[]> {
  const workers = await read.all<IdentityRow>("select * from queue_workers where state in ('running', 'draining')");
  const servers = await read.all<IdentityRow>('select * from http_servers where is_read_only = 0');
  const firing = [...sessions, ...workers, ...servers].map(identityOf);
  return [
    describe('sessions', sessions.map(identityOf), 'the next session to start releases what they held'),
    describe('runners', runners.map(identityOfRunner), 'the next session starts new runners for their jobs'),
    ...(workers.length === 0
      ? []
      : [describe('workers', workers.map(identityOf), 'their jobs are tried again elsewhere')]),
    ...(await checkSchedules(read, [
      ...firing,
      ...runners.filter(({ lane }) => lane === 'call').map(identityOfRunner),
    ])),
  ];
}

/** Whether something lives that fires the schedules, where there are any. */
async function checkSchedules(read: Read, firing: (ProcessIdentity | undefined)[]): Promise<Check[]> {
  const [found] = await read.all<{ count: number; next: number | null; failed: number }>(
    `select count(*) as count, min(next_at) as next, count(*) filter (where last_outcome = 'failed') as failed
     from schedules where status = 'active'`,
  );
  if (!found || found.count === 0 || found.next === null) return [];
  const { liveness } = systemProcesses(systemClock().bootId);
  const isFired = firing.some((identity) => identity !== undefined && liveness(identity) !== 'dead');
  const next = `${found.count} active, the next is due at ${new Date(found.next).toISOString()}`;
  const failed =
    found.failed === 0 ? [] : [`${found.failed} could not fire the last time: agent-runtime schedule list`];
  if (!isFired) {
    const fix = 'Open a session, or start: agent-runtime worker';
    return [warn('schedules', `${next}, and nothing lives that fires them`, fix)];
  }
  const detail = [next, ...failed].join('\n');
  return [failed.length > 0 ? warn('schedules', detail, 'Correct what they submit.') : ok('schedules', detail)];
}

/** An identity is undefined while a runner is starting. */
function describe(name: string, identities: (ProcessIdentity | undefined)[], afterwards: string): Check {
  const { liveness } = systemProcesses(systemClock().bootId);
  const states = identities.map((identity) => (identity ? liveness(identity) : 'starting'));
  const alive = identities.filter((_, index) => states[index] === 'alive');
  const pids = alive.map((identity) => identity?.pid).join(', ');
  const parts = [alive.length > 0 ? `${alive.length} alive (pid ${pids})` : 'none alive'];
  const count = (state: string) => states.filter((found) => found === state).length;
  if (count('starting') > 0) parts.push(`${count('starting')} starting`);
  if (count('unknown') > 0) parts.push(`${count('unknown')} on other hosts or in other containers`);
  if (count('dead') > 0) parts.push(`${count('dead')} killed or crashed; ${afterwards}`);
  return ok(name, parts.join(', '));
}
