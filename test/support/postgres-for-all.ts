import type { TestProject } from 'vitest/node';
import { postgresBinaries, startPostgres } from './postgres-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The port of this run's PostgreSQL server on loopback; null if PostgreSQL is not installed. */
    postgresPort: number | null;
  }
}

/** Starts one PostgreSQL server for all tests of this run. Each test makes a database of its own. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const binaries = postgresBinaries();
  if (binaries === undefined) {
    if (process.env.AGENT_RUNTIME_TEST_ENGINE === 'postgres') throw new Error('PostgreSQL is not installed here.');
    process.stderr.write('PostgreSQL is not installed here: the tests of that engine are skipped.\n');
    project.provide('postgresPort', null);
    return undefined;
  }
  const server = await startPostgres(binaries);
  project.provide('postgresPort', server.port);
  return () => server.stop();
}
