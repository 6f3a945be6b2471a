// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholders.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keeperSocket } from '../../../src/downstream/connection/keeper-place.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';
import { textOf } from '../tool-runtime.js';
import { configure, openSession, pidOf, shared, sharedHome, socketOf, twoSessions, viewOf } from './shared-sessions.js';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

it('sessions share a server whose entry comes out alike, whatever terminal they are in, and no other', async () => {
  const home = sharedHome();
  const servers = { odd: shared({ env: { TOKEN: '${TOKEN:-none}' } }) };
  const first = await openSession(servers, home, { env: { TOKEN: 'a', TERM: 'xterm' } });
  const same = await openSession(servers, home, { env: { TOKEN: 'a', TERM: 'dumb', LANG: 'de_DE', UNRELATED: '1' } });
  const other = await openSession(servers, home, { env: { TOKEN: 'b' } });
  const pid = await pidOf(first);
  expect(await pidOf(same)).toBe(pid);
  const { TOKEN, UNRELATED } = JSON.parse(textOf(await other.call('odd.environment')));
  expect({ TOKEN, UNRELATED }).toEqual({ TOKEN: 'b', UNRELATED: undefined });
  const { instances } = await viewOf(first);
  expect(instances.map(({ sessions }) => sessions).sort()).toEqual([1, 2]);
});

it('a server whose entry has changed runs anew, and the old process ends when no session has it', async () => {
  const home = sharedHome();
  const [one, other] = await twoSessions({ odd: shared({ idle: 1_000, env: { MARK: 'before' } }) }, home);
  const pid = await pidOf(one);
  expect(await pidOf(other)).toBe(pid);
  configure(home, { odd: shared({ idle: 1_000, env: { MARK: 'after, and longer' } }) });
  for (const session of [one, other]) {
    await eventually('the new entry is in use', async () => {
      const { MARK } = JSON.parse(textOf(await session.call('odd.environment')));
      return MARK === 'after, and longer';
    });
  }
  await eventually('the old process has ended', () => !isAlive(pid));
  await eventually('the keeper has one, with both sessions', async () => {
    const { instances } = await viewOf(one);
    return instances.length === 1 && instances[0]?.sessions === 2;
  });
});

it('what is set for the calls alone changes no process', async () => {
  const home = sharedHome();
  const one = await openSession({ odd: shared({ timeout: 10_000 }) }, home);
  const pid = await pidOf(one);
  const other = await openSession({ odd: shared({ timeout: 20_000, retrySafe: ['add'] }) }, home);
  expect(await pidOf(other)).toBe(pid);
});

it('a server that is not shared has its own process in each session', async () => {
  const [one, other] = await twoSessions({ odd: shared({ shared: false }) });
  expect(await pidOf(one)).not.toBe(await pidOf(other));
  const [view] = await one.downstream.servers();
  expect(view).toMatchObject({ isShared: false, keeperPid: undefined });
});

it('another version, database, data folder, host or container has another keeper', () => {
  const config = { dataDir: '/home/me/.claude/data', dbPath: '/home/me/a.db', dbUrl: undefined };
  const identity = { hostId: 'h', bootId: 'b', pidNamespace: 'n', pid: 1, startTime: '1' };
  const addresses = [
    keeperSocket(config, identity),
    keeperSocket({ ...config, dbPath: '/home/me/b.db' }, identity),
    keeperSocket({ ...config, dbUrl: 'postgres://h/db' }, identity),
    keeperSocket({ ...config, dataDir: '/home/me/other' }, identity),
    keeperSocket(config, identity, '99.0.0'),
    keeperSocket(config, { ...identity, hostId: 'other' }),
    keeperSocket(config, { ...identity, pidNamespace: 'other' }),
  ];
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(keeperSocket(config, { ...identity, pid: 2, startTime: '2', bootId: 'c' })).toBe(addresses[0]);
});

it('a data folder with a long path has its socket where the address is short enough', async () => {
  const home = sharedHome();
  const long = join(home, 'a-folder-of-many-letters'.repeat(5));
  const session = await openSession({ odd: shared() }, home, { env: { AGENT_RUNTIME_DATA_DIR: long } });
  expect(isAlive(await pidOf(session))).toBe(true);
  const socket = socketOf(session);
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(100);
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
});

it('socket and folder are for their owner alone, whatever the folder was before', async () => {
  const home = sharedHome();
  const folder = join(home, 'data', 'keeper');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  const session = await openSession({ odd: shared() }, home);
  await pidOf(session);
  const socket = socketOf(session);
  expect(dirname(socket)).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

it.runIf(isRoot)('another user cannot connect', async () => {
  const home = sharedHome();
  const session = await openSession({ odd: shared() }, home);
  await pidOf(session);
  const socket = socketOf(session);
  // All that is above lets everybody in.
  for (const path of [home, join(home, 'data')]) chmodSync(path, 0o755);
  const script = `require('net').connect(${JSON.stringify(socket)})
    .on('connect', () => { console.log('connected'); process.exit(); })
    .on('error', ({ code }) => console.log(code))`;
  const connect = (uid: number) =>
    spawnSync(process.execPath, ['-e', script], { uid, cwd: '/', encoding: 'utf8' }).stdout.trim();
  expect(connect(0)).toBe('connected');
  expect(connect(nobody)).toBe('EACCES');
  chmodSync(dirname(socket), 0o755);
  expect(connect(nobody)).toBe('EACCES');
});

it.runIf(isRoot).each(['of another user', 'a link'])(
  'a folder that is %s is not trusted: nothing is told to what listens there',
  async (kind) => {
    const home = sharedHome();
    const session = await openSession({ odd: shared({ env: { TOKEN: 'sk-secret' } }) }, home);
    const socket = socketOf(session);
    const real = kind === 'a link' ? join(home, 'elsewhere') : dirname(socket);
    mkdirSync(real, { recursive: true });
    mkdirSync(dirname(dirname(socket)), { recursive: true });
    if (kind === 'a link') symlinkSync(real, dirname(socket));
    let heard = '';
    const listener = createServer((connection) => connection.on('data', (data) => (heard += data.toString())));
    await new Promise<void>((resolve) => listener.listen(socket, resolve));
    onTestFinished(() => void listener.close());
    if (kind !== 'a link') chownSync(real, nobody, nobody);
    await expect(session.call('odd.echo')).rejects.toMatchObject({ message: /is not a folder of this user/ });
    expect(heard).toBe('');
  },
);

it('only a server that is a process can be shared', async () => {
  const home = sharedHome();
  const web = { url: 'http://127.0.0.1:9/mcp', shared: true } as never;
  const session = await openSession({ web }, home);
  expect(session.downstream.sick()).toMatchObject([
    { server: 'web', problem: expect.stringContaining('only a server that is started by a command has processes') },
  ]);
});
