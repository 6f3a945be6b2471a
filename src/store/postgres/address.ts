import { RuntimeError } from '../../base/errors.js';

/** The address of a database without its secrets, for messages. Throws `invalid` for what is no PostgreSQL address. */
export function publicAddress(url: string): string {
  const parsed = parseAddress(url);
  parsed.password = '';
  for (const name of [...parsed.searchParams.keys()]) {
    if (/password|passphrase|key/i.test(name)) parsed.searchParams.delete(name);
  }
  return parsed.href;
}

/** Settings that the driver takes from the address itself, and those that are ours. */
export interface Address {
  connectionString: string;
  /** Whether statements are prepared once a connection; poolers in transaction mode break them. */
  prepares: boolean;
}

/** Takes our own settings out of an address: `prepare=off`. */
export function readAddress(url: string): Address {
  const parsed = parseAddress(url);
  const prepares = !/^(off|false|no|0)$/i.test(parsed.searchParams.get('prepare') ?? 'on');
  parsed.searchParams.delete('prepare');
  return { connectionString: parsed.href, prepares };
}

/** The address for a program's argument, which others can see, and the password that it must not hold. */
export function programAddress(url: string): { address: string; password: string } {
  const parsed = parseAddress(readAddress(url).connectionString);
  const password = decodeURIComponent(parsed.password);
  parsed.password = '';
  return { address: parsed.href, password };
}

/** The address of the server's own database, and the name of the one that is meant. */
export function splitAddress(url: string): { server: string; database: string } {
  const parsed = parseAddress(url);
  const database = decodeURIComponent(parsed.pathname.slice(1)) || parsed.username;
  parsed.pathname = '/postgres';
  return { server: parsed.href, database };
}

function parseAddress(url: string): URL {
  try {
    const parsed = new URL(url);
    if (/^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  } catch {
    // Explained below. The address may hold a password, so it is not shown.
  }
  throw new RuntimeError(
    'invalid',
    'AGENT_RUNTIME_DB_URL is not the address of a PostgreSQL database.',
    'Write it as postgres://user@host:5432/database; give the password by PGPASSWORD or PGPASSFILE.',
  );
}
