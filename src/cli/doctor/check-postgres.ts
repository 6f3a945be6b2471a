import { reportError } from '../../base/errors.js';
import { migrations } from '../../store/migrate.js';
import { movingVersion } from '../../store/schema.js';
import { type Check, checksOf } from './check.js';
import { checkProcesses, readOpenRows } from './check-processes.js';

const { ok, warn, fail } = checksOf('Database');

/** The oldest that has what the statements use, and gets security fixes. */
const oldestMajor = 14;
const longestOffsetMs = 5_000;
const newest = migrations.at(-1)?.version ?? 0;

/** Checks the database on a server: whether it can be reached and written, its version and its clock. Changes nothing. */
export async function checkPostgres(url: string): Promise<Check[]> {
  const { inspectPostgres, readPostgres } = await import('../../store/postgres/inspect.js');
  const { explain } = await import('../../store/postgres/postgres-errors.js');
  const { publicAddress } = await import('../../store/postgres/address.js');
  try {
    const { location, version, major, schema, exists, mayCreate, isStandby, clockOffset } = await inspectPostgres(url);
    return [
      exists ? ok('server', location) : existence(location, mayCreate),
      major >= oldestMajor
        ? ok('version', `PostgreSQL ${version}`)
        : fail('version', `PostgreSQL ${version} is too old`, `Use PostgreSQL ${oldestMajor} or newer.`),
      ...(isStandby
        ? [
            fail(
              'role',
              'the server is a standby and takes no writes',
              'Name the primary in AGENT_RUNTIME_DB_URL, or all servers: postgres://a,b/db.',
            ),
          ]
        : []),
      checkSchema(schema),
      await checkTools(major),
      ...(exists && !mayCreate && schema === undefined
        ? [fail('rights', 'the user may not make tables', 'Run: grant create on schema public to USER;')]
        : []),
      Math.abs(clockOffset) <= longestOffsetMs
        ? ok('clock', clockOffset === 0 ? "as this host's" : `${clockOffset} ms from this host's; the server's counts`)
        : warn(
            'clock',
            `${Math.round(clockOffset / 1000)} s from this host's; the server's counts`,
            'Set up NTP on both.',
          ),
      ...(schema === newest
        ? await readPostgres(url, async (read) => checkProcesses(read, await readOpenRows(read)))
        : []),
    ];
  } catch (error) {
    const { message, hint } = reportError(explain(error, publicAddress(url)));
    return [fail('server', message, hint)];
  }
}

const existence = (location: string, mayCreate: boolean): Check =>
  mayCreate
    ? ok('server', `${location} will be created on first use`)
    : fail('server', `${location} does not exist`, 'Make it, or let the user do so: alter role USER createdb;');

/** `backup`, `purge` and `clean_all_tasks` save a copy first. */
async function checkTools(major: number): Promise<Check> {
  const { findProgram } = await import('../../store/postgres/dump.js');
  const [dump, restore] = [await findProgram('pg_dump', major), await findProgram('pg_restore', major)];
  if (dump && restore) return ok('backup tools', `${dump}, ${restore}`);
  const missing = dump ? 'pg_restore' : 'pg_dump';
  const fix = `Install the PostgreSQL client of version ${major} or newer, or make backups on a host that has it.`;
  return warn('backup tools', `no ${missing} ${major} or newer is here; without it there are no backups`, fix);
}

function checkSchema(found: number | undefined): Check {
  if (found === movingVersion) {
    const fix = 'Wait until that has ended; if it was interrupted, run it again.';
    return fail('schema', 'a move to this database (agent-runtime migrate) is not complete', fix);
  }
  if (found === undefined) return ok('schema', 'empty; will be set up on first use');
  if (found === newest) return ok('schema', `version ${found}`);
  return found < newest
    ? ok('schema', `version ${found}; will be brought up to date on first use`)
    : fail(
        'schema',
        `version ${found} is of a newer program`,
        'Update with `npm install --global agent-runtime-mcp@latest`.',
      );
}
