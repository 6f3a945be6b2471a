import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { messageOf, RuntimeError } from '../base/errors.js';

export type Connection = BetterSqlite3.Database;
export type Driver = typeof BetterSqlite3;
export type PreparedStatement = BetterSqlite3.Statement<unknown[]>;

/** The first N-API level of Node that the prebuilt driver runs on. Below it the driver crashes the process. */
const napiOfPrebuiltDriver = 10;

/**
 * The SQLite driver that runs on this Node. From N-API 10 on (Node 22.14, 24) the prebuilt one, which needs no
 * install script; before that, the driver that npm compiled. Throws `unavailable` with the command that fixes it.
 */
export async function loadDriver(napi = Number(process.versions.napi)): Promise<Driver> {
  const names = napi >= napiOfPrebuiltDriver ? ['better-sqlite3-napi', 'better-sqlite3'] : ['better-sqlite3'];
  let failure: unknown;
  for (const name of names) {
    try {
      const { default: Driver } = (await import(name)) as { default: Driver };
      new Driver(':memory:').close();
      return Driver;
    } catch (error) {
      failure = error;
    }
  }
  throw new RuntimeError(
    'unavailable',
    `The SQLite driver does not load on Node ${process.version}: ${firstLine(failure)}`,
    `Run: ${repairCommand()}`,
    { cause: failure },
  );
}

/** npm 12 blocks the install script that compiles the driver unless it is allowed. A rebuild with the flag runs it. */
function repairCommand(): string {
  try {
    const driver = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
    return `cd "${dirname(dirname(driver))}" && npm rebuild better-sqlite3 --allow-scripts=better-sqlite3`;
  } catch {
    return 'npm install --global agent-runtime-mcp --allow-scripts=better-sqlite3';
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
