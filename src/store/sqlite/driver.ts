import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Connect } from './connection.js';
import { connectWith } from './node-sqlite.js';

/** The SQLite driver that runs here. */
export interface Driver {
  /** The package or module that it comes from. */
  name: string;
  connect: Connect;
}

interface Candidate {
  /** Node's first N-API level that it runs on; below it, importing it may end the process. */
  napi: number;
  load(name: string): Promise<Connect>;
}

/**
 * In the order in which they are tried. None is compiled or downloaded when it is installed: the first, the faster one,
 * has binaries in its package, for Node 22.14 and newer; the second is part of this package (.config/build.mjs), for
 * Node 20 and for Linux systems older than the first was built on. Node's own serves machines that neither is built for.
 */
const candidates: Record<string, Candidate> = {
  'better-sqlite3': {
    napi: 10,
    async load(name) {
      const { default: Database } = await import(name);
      return (file, options) => new Database(file, options);
    },
  },
  '@photostructure/sqlite': { napi: 8, load: async () => connectWith(await import('@photostructure/sqlite')) },
  'node:sqlite': { napi: 8, load: async (name) => connectWith(await import(name)) },
};

export const driverNames: readonly string[] = Object.keys(candidates);

/**
 * Loads the first SQLite driver that runs on this Node; tests choose by `names`. Throws `unavailable`, with the reason of
 * each, if none does.
 */
export async function loadDriver(names = driverNames): Promise<Driver> {
  const failures: string[] = [];
  let cause: unknown;
  for (const [name, { napi, load }] of Object.entries(candidates)) {
    if (!names.includes(name) || Number(process.versions.napi) < napi) continue;
    try {
      const connect = await load(name);
      // The binary may be loaded by the first connection alone.
      connect(':memory:').close();
      return { name, connect };
    } catch (error) {
      cause ??= error;
      failures.push(`${name}: ${messageOf(error).split('\n', 1)[0]}`);
    }
  }
  throw new RuntimeError(
    'unavailable',
    `No SQLite driver loads on Node ${process.version} (${process.platform}-${process.arch}): ${failures.join('; ')}`,
    'Install it again: npm install --global agent-runtime-mcp. It brings a driver for Linux, macOS and Windows on x64 and ' +
      'arm64; elsewhere use Node 24, which has one of its own.',
    { cause },
  );
}
