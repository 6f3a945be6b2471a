import { reportError } from '../../base/errors.js';
import { version } from '../../base/version.js';
import { type Driver, loadDriver } from '../../store/sqlite/driver.js';
import { refuseUnsafeSqlite } from '../../store/sqlite/open.js';
import { type Check, checksOf } from './check.js';

const { ok, fail } = checksOf('Runtime');

/** Checks that a SQLite driver loads, and says which; on a Node that is too old, nothing of this runs. */
export async function checkDriver(): Promise<{ driver: Driver | undefined; checks: Check[] }> {
  const node = `${process.version}, N-API ${process.versions.napi}, ${process.execPath}`;
  const checks = [ok('agent-runtime', version), ok('Node', node)];
  try {
    const driver = await loadDriver();
    const sqlite = driver.connect(':memory:');
    const found = String(sqlite.prepare('select sqlite_version()').pluck().get());
    sqlite.close();
    refuseUnsafeSqlite(found);
    return { driver, checks: [...checks, ok('driver', driver.name), ok('SQLite', found)] };
  } catch (error) {
    const { message, hint } = reportError(error);
    return { driver: undefined, checks: [...checks, fail('driver', message, hint)] };
  }
}
