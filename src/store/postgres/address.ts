import { RuntimeError } from '../../base/errors.js';

/** The address of a database without its secrets, for messages. Throws `invalid` for what is no PostgreSQL address. */
export function publicAddress(url: string): string {
  return changed(url, (address) => {
    address.password = '';
    for (const name of [...address.searchParams.keys()]) {
      if (/password|passphrase|key/i.test(name)) address.searchParams.delete(name);
    }
  });
}

/** Settings that the driver takes from the address itself, and those that are ours. */
export interface Address {
  /** One for each of its hosts, in order. */
  connectionStrings: readonly string[];
  /** Whether a server that is a standby is passed over. */
  needsPrimary: boolean;
  /** Whether statements are prepared once a connection; poolers in transaction mode break them. */
  prepares: boolean;
}

/**
 * Reads an address of one host or of several (`postgres://a:5432,b:5432/board`), one of which is the primary. Takes the
 * settings out that the driver does not know: `prepare=off`, and `target_session_attrs`, which can be `read-write` or
 * `primary`. Throws `invalid`.
 */
export function readAddress(url: string): Address {
  const hosts = parseAddress(url);
  const prepare = setting(hosts, 'prepare') ?? 'on';
  const target = setting(hosts, targetName);
  if (target !== undefined && target !== 'read-write' && target !== 'primary') {
    throw new RuntimeError(
      'invalid',
      `AGENT_RUNTIME_DB_URL has ${targetName}=${target}; the board needs the server that takes writes.`,
      `Write ${targetName}=read-write, or leave it out.`,
    );
  }
  for (const { searchParams } of hosts) for (const name of ['prepare', targetName]) searchParams.delete(name);
  return {
    connectionStrings: hosts.map(({ href }) => href),
    needsPrimary: hosts.length > 1 || target !== undefined,
    prepares: !/^(off|false|no|0)$/i.test(prepare),
  };
}

const targetName = 'target_session_attrs';

const setting = ([first]: readonly URL[], name: string): string | undefined =>
  first?.searchParams.get(name) ?? undefined;

/** The address for a program's argument, which others can see, and the password that it must not hold. */
export function programAddress(url: string): { address: string; password: string } {
  const { connectionStrings, needsPrimary } = readAddress(url);
  const password = decodeURIComponent(new URL(connectionStrings[0] ?? '').password);
  const address = changed(url, (host) => {
    host.password = '';
    host.searchParams.delete('prepare');
    if (needsPrimary) host.searchParams.set(targetName, 'read-write');
  });
  return { address, password };
}

/** The address of the server's own database, and the name of the one that is meant. */
export function splitAddress(url: string): { server: string; database: string } {
  const [first] = parseAddress(url);
  const database = decodeURIComponent(first?.pathname.slice(1) ?? '') || (first?.username ?? '');
  const server = changed(url, (address) => {
    address.pathname = '/postgres';
  });
  return { server, database };
}

/** The same address after a change of all that its hosts have in common. */
function changed(url: string, change: (address: URL) => void): string {
  const hosts = parseAddress(url);
  const [first] = hosts;
  if (!first) return url;
  change(first);
  const own = first.username + (first.password === '' ? '' : `:${first.password}`);
  const names = hosts.map(({ host }) => host).join(',');
  return `${first.protocol}//${own === '' ? '' : `${own}@`}${names}${first.pathname}${first.search}`;
}

/** As many addresses as it has hosts. An address of several is none that `URL` would take. */
function parseAddress(url: string): URL[] {
  const [, before = '', hosts = '', after = ''] =
    /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/is.exec(url) ?? [];
  try {
    if (before !== '') return hosts.split(',').map((host) => new URL(`${before}${host}${after}`));
  } catch {
    // Explained below. The address may hold a password, so it is not shown.
  }
  throw new RuntimeError(
    'invalid',
    'AGENT_RUNTIME_DB_URL is not the address of a PostgreSQL database.',
    'Write it as postgres://user@host:5432/database; give the password by PGPASSWORD or PGPASSFILE.',
  );
}
