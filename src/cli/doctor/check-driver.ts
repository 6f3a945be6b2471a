import { reportError } from '../../base/errors.js';
import { version } from '../../base/version.js';
import { type Driver, loadDriver } from '../../store/driver.js';
import { type Check, checksOf } from './check.js';

const { ok, fail } = checksOf('Runtime');

/** Checks Node, and that the native SQLite driver loads. */
export async function checkDriver(): Promise<{ driver: Driver | undefined; checks: Check[] }> {
  const checks = [ok('agent-runtime', version), checkNode()];
  try {
    const driver = await loadDriver();
    const sqlite = new driver(':memory:');
    const found = String(sqlite.prepare('select sqlite_version()').pluck().get());
    sqlite.close();
    return { driver, checks: [...checks, ok('driver', await nameOf(driver)), ok('SQLite', found)] };
  } catch (error) {
    const { message, hint } = reportError(error);
    return { driver: undefined, checks: [...checks, fail('driver', message, hint)] };
  }
}

/** As `engines` in package.json says. */
const oldestNode = [20, 19] as const;

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  const found = `${process.version}, N-API ${process.versions.napi}, ${process.execPath}`;
  return isOld
    ? fail('Node', found, `Install Node ${oldestNode.join('.')} or newer; 24 needs no compiler.`)
    : ok('Node', found);
}

/** Both driver packages export the same class, so compare it with the export of the prebuilt package. */
async function nameOf(driver: Driver): Promise<string> {
  const prebuilt = 'better-sqlite3-napi';
  // On an older N-API, importing the prebuilt package would end the process.
  if (Number(process.versions.napi) < 10) return 'better-sqlite3, compiled for this Node';
  const loaded = await import(prebuilt).catch(() => undefined);
  return loaded?.default === driver ? `${prebuilt}, prebuilt` : 'better-sqlite3, compiled for this Node';
}
