import type { Database, Value } from '../sql.js';
import { publicAddress, splitAddress } from './address.js';
import { Connection } from './connection.js';
import { isMissing } from './postgres-errors.js';

/** What `doctor` tells of a database on a server. */
export interface PostgresState {
  /** The address without its secrets. */
  location: string;
  /** False: the server is there, and the database will be made at the first start, if `mayCreate`. */
  exists: boolean;
  /** `15.4`. */
  version: string;
  major: number;
  /** The version of our schema; undefined before the first start. */
  schema: number | undefined;
  /** Whether the user may make tables, or the database where there is none. */
  mayCreate: boolean;
  /** Whether the server is a standby, which takes no writes. */
  isStandby: boolean;
  /** Milliseconds by which the server's clock is ahead of this host's. */
  clockOffset: number;
}

/** Looks at a database and changes nothing. Rejects as the driver does. */
export async function inspectPostgres(url: string): Promise<PostgresState> {
  return inspect(url, url).catch((error) => {
    if (!isMissing(error)) throw error;
    return inspect(url, splitAddress(url).server);
  });
}

/** Runs `body` with reads of a database, whose tables it takes as they are. Rejects as the driver does. */
export async function readPostgres<Result>(
  url: string,
  body: (read: Pick<Database, 'all' | 'clockOffset'>) => Promise<Result>,
): Promise<Result> {
  const connection = new Connection({ url, name: 'agent-runtime (look)', isReadOnly: true });
  try {
    const client = await connection.open();
    return await body({
      all: async <Row>(text: string, ...values: Value[]) => (await connection.send(client, text, values)).rows as Row[],
      clockOffset: () => connection.clockOffset,
    });
  } finally {
    await connection.close();
  }
}

async function inspect(url: string, reached: string): Promise<PostgresState> {
  const connection = new Connection({ url: reached, name: 'agent-runtime (doctor)', isReadOnly: true });
  const exists = reached === url;
  try {
    const client = await connection.open();
    const { rows } = await client.query<{ version: string; number: number; standby: number; has: number; may: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::bigint as number,
         pg_is_in_recovery() as standby, to_regclass('schema_version') is not null as has,
         ${exists ? "has_schema_privilege(current_schema(), 'create')" : '(select rolcreatedb or rolsuper from pg_roles where rolname = current_user)'} as may`,
    );
    const [row] = rows;
    const schema =
      exists && row?.has === 1
        ? (await client.query<{ version: number }>('select max(version) as version from schema_version')).rows[0]
            ?.version
        : undefined;
    return {
      location: publicAddress(url),
      exists,
      version: row?.version ?? '',
      major: Math.floor((row?.number ?? 0) / 10_000),
      schema,
      mayCreate: row?.may === 1,
      isStandby: row?.standby === 1,
      clockOffset: connection.clockOffset,
    };
  } finally {
    await connection.close();
  }
}
