import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.js';

/** A PostgreSQL server of the tests' own, on loopback. */
export interface PostgresServer {
  port: number;
  dataDir: string;
  /** Ends it by a signal, says goodbye to nobody unless given another one, and starts it again on the same port. */
  restart(signal?: string): Promise<void>;
  /** Ends it and removes its data. */
  stop(signal?: string): Promise<void>;
}

export interface PostgresOptions {
  /** For tests that take the server down: writes reach the disk, as they do elsewhere. */
  isSafe?: boolean;
  /** More of its settings, as `name=value`. */
  settings?: readonly string[];
}

/** The directory with `initdb` and `postgres`: of the PATH, or of a Debian package; undefined if there is none. */
export function postgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres')));
}

/** Starts a server with an empty data directory. It ends with this process, however that ends. */
export async function startPostgres(binaries: string, options: PostgresOptions = {}): Promise<PostgresServer> {
  const dataDir = newDataDir();
  const initialised = spawnSync(
    join(binaries, 'initdb'),
    ['--pgdata', dataDir, '--username', 'agrt', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    { ...serverUser(), cwd: dataDir, encoding: 'utf8' },
  );
  if (initialised.status !== 0) throw new Error(`initdb failed: ${initialised.stderr}`);
  return serveFrom(binaries, dataDir, options);
}

/** Starts a server that follows another one of the same machine, from a copy of its data. `select pg_promote()` makes it a primary. */
export async function startStandby(
  binaries: string,
  primary: Pick<PostgresServer, 'port'>,
  options: PostgresOptions = {},
): Promise<PostgresServer> {
  const dataDir = newDataDir();
  const copied = spawnSync(
    join(binaries, 'pg_basebackup'),
    [
      '-D',
      dataDir,
      '-R',
      '-h',
      '127.0.0.1',
      '-p',
      String(primary.port),
      '-U',
      'agrt',
      '--checkpoint=fast',
      '--no-sync',
    ],
    { ...serverUser(), cwd: dataDir, encoding: 'utf8' },
  );
  if (copied.status !== 0) throw new Error(`pg_basebackup failed: ${copied.stderr}`);
  return serveFrom(binaries, dataDir, options);
}

/** A server is content with nothing but a directory of its own that nobody else may look into. */
function newDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'agent-runtime-postgres-'));
  const owner = serverUser();
  if (owner) chownSync(dataDir, owner.uid, owner.gid);
  return dataDir;
}

async function serveFrom(binaries: string, dataDir: string, options: PostgresOptions): Promise<PostgresServer> {
  const port = await freePort();
  let stop = await runServer(binaries, dataDir, port, options);
  let hasStopped = false;
  return {
    port,
    dataDir,
    async restart(signal) {
      await stop(signal);
      stop = await runServer(binaries, dataDir, port, options);
    },
    async stop(signal) {
      if (hasStopped) return;
      hasStopped = true;
      await stop(signal);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs a server on a data directory that exists; resolves to what stops it, once it takes connections. */
export async function runServer(
  binaries: string,
  dataDir: string,
  port: number,
  { isSafe = false, settings = [] }: PostgresOptions = {},
): Promise<(signal?: string) => Promise<void>> {
  const fast = isSafe ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];
  const all = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${dataDir}`,
    'max_connections=300',
    'shared_buffers=64MB',
    'autovacuum_naptime=5',
    ...fast,
    ...settings,
  ];
  // The shell ends the server when its standard input does: with this process.
  const script = '"$0" "$@" & server=$!; read signal || signal=QUIT; kill -$signal $server; wait $server';
  const args = ['-D', dataDir, ...all.flatMap((setting) => ['-c', setting])];
  const child = spawn('/bin/sh', ['-c', script, join(binaries, 'postgres'), ...args], {
    ...serverUser(),
    cwd: dataDir,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (data: Buffer) => {
      log = (log + data.toString()).slice(-10_000);
      if (/ready to accept (read-only )?connections/.test(log)) resolve();
    });
    child.on('close', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  return async (signal = 'QUIT') => {
    child.stdin.end(`${signal}\n`);
    await ended;
  };
}

/** PostgreSQL refuses to run as root: then another user of the machine runs it. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) };
}
