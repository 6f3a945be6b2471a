import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Check } from '../../../src/cli/doctor/check.js';
import { startTalking } from '../../store/sqlite/talk.js';
import { connectServer } from '../../support/mcp-client.js';
import { projectRoot } from '../../support/paths.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { type CliOptions, runCli, startCli } from '../run-cli.js';

async function doctor(home: string, options: Omit<CliOptions, 'home'> & { args?: string[] } = {}) {
  const { args = [], ...rest } = options;
  const { code, stderr, json, stdout } = await runCli(['doctor', '--json', ...args], { home, ...rest });
  expect(stderr).toBe('');
  const { status, checks } = json() as { status: string; checks: Check[] };
  expect(code).toBe(status === 'fail' ? 1 : 0);
  const find = (group: string, name: string) => {
    const check = checks.find((one) => one.group === group && one.name === name);
    if (!check) throw new Error(`No check ${group}/${name} in ${stdout}`);
    return check;
  };
  return { status, checks, find, stdout, failing: checks.filter((check) => check.status === 'fail') };
}

/** A home whose database has been used once. */
async function usedHome(): Promise<{ home: string; db: string }> {
  const home = tempDir();
  expect((await runCli(['tool', 'create_goal', '--arg', 'name=g', '--arg', 'description=d'], { home })).code).toBe(0);
  return { home, db: join(home, '.claude', 'agent_runtime.db') };
}

/** Every file below a directory, with everything that a write would change. */
function snapshot(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => {
    const path = join(directory, name);
    const { mtimeMs, mode } = statSync(path);
    // The index of the write-ahead log is shared memory: readers write their positions into it.
    if (name.endsWith('-shm') || !statSync(path).isFile()) return [name, `${mode}`];
    return [name, `${mode} ${mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
  });
  return Object.fromEntries(entries);
}

it('finds no problem in a new home, and creates nothing in it', async () => {
  const home = tempDir();
  const { status, find } = await doctor(home);
  expect(status).toBe('warn');
  expect(find('Runtime', 'driver')).toMatchObject({
    status: 'ok',
    detail: expect.stringMatching(/^(better-sqlite3|@photostructure\/sqlite)$/),
  });
  expect(find('Runtime', 'SQLite').detail).toMatch(/^3\.\d+\.\d+$/);
  expect(find('Database', 'file').detail).toContain('will be created on first use');
  expect(find('Directories', 'data').detail).toContain('will be created on first use');
  expect(find('Clients', 'connected').fix).toBe('Run: agent-runtime install');
  expect(find('Models', 'anthropic').fix).toContain('ANTHROPIC_API_KEY');
  expect(find('Models', 'default')).toMatchObject({ status: 'warn' });
  expect(readdirSync(home)).toEqual([]);
});

it('prints the checks as text, each problem with its fix', async () => {
  const { code, stdout, stderr } = await runCli(['doctor'], { home: tempDir() });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Runtime\n {2}ok {4}agent-runtime +\d/);
  expect(stdout).toMatch(/warn {2}connected .*\n +-> Run: agent-runtime install\n/);
  expect(stdout).toMatch(/It works; \d+ of \d+ checks could be better\.\n$/);
  expect(stdout).not.toContain('\u001b');
});

it('checks an unused database without creating or changing a file', async () => {
  const { home } = await usedHome();
  const before = snapshot(home);
  const { find, failing } = await doctor(home);
  expect(failing).toEqual([]);
  expect(find('Database', 'schema').detail).toMatch(/^version \d+$/);
  expect(find('Database', 'journal').detail).toBe('wal');
  expect(find('Database', 'integrity').status).toBe('ok');
  expect(find('Database', 'modes').status).toBe('ok');
  expect(find('Processes', 'sessions').detail).toBe('none alive');
  expect(snapshot(home)).toEqual(before);
});

it('finds live and killed sessions, and leaves the files of the database alone', async () => {
  const home = tempDir();
  const server = await connectServer({ home });
  await server.ok('create_goal', { name: 'g', description: 'd' });
  expect((await doctor(home)).find('Processes', 'sessions').detail).toBe(`1 alive (pid ${server.pid})`);
  process.kill(server.pid, 'SIGKILL');
  await server.close();
  const before = snapshot(home);
  expect(Object.keys(before)).toContain('.claude/agent_runtime.db-wal');
  const { find, failing } = await doctor(home);
  expect(failing).toEqual([]);
  expect(find('Processes', 'sessions').detail).toContain('none alive, 1 killed or crashed');
  expect(find('Database', 'file').detail).toContain('in its write-ahead log');
  expect(snapshot(home)).toEqual(before);
});

it('names what is wrong in the config file, and still checks the rest', async () => {
  const { home, db } = await usedHome();
  const path = join(home, '.claude', 'agent_runtime.json');
  writeFileSync(path, '{"modle": "opus"}');
  const unknownKey = await doctor(home, { env: { AGENT_RUNTIME_READ_ONLY: '1' } });
  expect(unknownKey.failing).toEqual([unknownKey.find('Settings', 'config file')]);
  expect(unknownKey.failing[0]?.detail).toContain('modle');
  expect(unknownKey.find('Database', 'file').detail).toContain(db);
  expect(unknownKey.find('Settings', 'tools').detail).toContain('read only');

  writeFileSync(path, '{"model": ');
  const broken = await doctor(home);
  expect(broken.failing[0]?.detail).toContain('is not JSON');
  expect(broken.failing[0]?.detail).toContain(path);
  expect(broken.find('Database', 'schema').status).toBe('ok');
});

it('names a variable that cannot be read, and a toolset that does not exist', async () => {
  const home = tempDir();
  const variable = await doctor(home, { env: { AGENT_RUNTIME_WORKER_SLOTS: 'many' }, args: ['--db', 'my.db'] });
  expect(variable.failing.map((check) => check.name)).toEqual(['environment']);
  expect(variable.failing[0]?.detail).toContain('AGENT_RUNTIME_WORKER_SLOTS is "many"');
  expect(variable.find('Database', 'file').detail).toContain(join(home, 'my.db'));
  const toolset = await doctor(home, { env: { AGENT_RUNTIME_TOOLSETS: 'golas' } });
  expect(toolset.failing.map((check) => check.detail)).toEqual([expect.stringContaining('golas')]);
});

it('checks who can read the secrets, and never shows one', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), '{"secretsFile": "keys.env"}');
  const secrets = join(home, '.claude', 'keys.env');
  const missing = await doctor(home);
  expect(missing.failing.map((check) => check.name)).toEqual(['secrets file']);
  writeFileSync(secrets, 'ANTHROPIC_API_KEY=sk-ant-very-secret-key\n', { mode: 0o644 });
  const readable = await doctor(home);
  expect(readable.failing[0]?.fix).toBe(`Run: chmod 600 "${secrets}"`);
  chmodSync(secrets, 0o600);
  const good = await doctor(home, { env: { GOOGLE_API_KEY: 'AIzaVerySecretGoogleKey' } });
  expect(good.find('Settings', 'secrets file').detail).toContain('sets ANTHROPIC_API_KEY');
  expect(good.find('Models', 'anthropic').detail).toContain('set up');
  expect(good.find('Models', 'planner').detail).toContain('claude-');
  expect(good.stdout).not.toContain('ecret-key');
  expect(good.stdout).not.toContain('AIza');
});

it('says what to set for a model that cannot be used', async () => {
  const unknown = await doctor(tempDir(), { env: { AGENT_RUNTIME_MODEL: 'frobnicate-3' } });
  expect(unknown.find('Models', 'default')).toMatchObject({ status: 'fail' });
  expect(unknown.find('Models', 'default').detail).toContain('frobnicate-3');
  const keyless = await doctor(tempDir(), { env: { AGENT_RUNTIME_MODEL: 'opus' } });
  expect(keyless.find('Models', 'default').fix).toContain('ANTHROPIC_API_KEY');
});

it('says what is wrong with a database', async () => {
  const { home, db } = await usedHome();
  chmodSync(db, 0o644);
  const readable = await doctor(home);
  expect(readable.find('Database', 'modes')).toMatchObject({ status: 'warn', fix: `Run: chmod 600 "${db}"` });

  const newer = connect(db);
  newer.pragma('user_version = 999');
  newer.close();
  const tooNew = await doctor(home);
  expect(tooNew.failing).toMatchObject([{ group: 'Database', fix: expect.stringContaining('npm install') }]);
  expect(tooNew.failing[0]?.detail).toContain('version 999');

  const foreign = connect(join(home, 'foreign.db'));
  foreign.exec('create table recipes (name text)');
  foreign.close();
  const before = snapshot(home);
  const notOurs = await doctor(home, { args: ['--db', 'foreign.db'] });
  expect(notOurs.failing[0]?.detail).toContain('another program');

  writeFileSync(join(home, 'text.db'), 'x'.repeat(9_000));
  const text = await doctor(home, { args: ['--db', 'text.db'] });
  expect(text.failing[0]?.detail).toContain('not an SQLite database');

  writeFileSync(join(home, 'empty.db'), '', { mode: 0o600 });
  const empty = await doctor(home, { args: ['--db', 'empty.db'] });
  expect(empty.failing).toEqual([]);
  expect(empty.find('Database', 'schema').detail).toContain('will be set up on first use');

  const directory = await doctor(home, { args: ['--db', '.claude'] });
  expect(directory.failing[0]?.detail).toContain('is not a file');
  expect(snapshot(home)).toMatchObject(before);
});

it('recognizes a database of the earlier server, which the first use will adopt', async () => {
  const home = tempDir();
  copyFileSync(join(projectRoot, 'test/fixtures/store/legacy-agent-runtime.db'), join(home, 'old.db'));
  const before = snapshot(home);
  const { failing, find } = await doctor(home, { args: ['--db', 'old.db'] });
  expect(failing).toEqual([]);
  expect(find('Database', 'schema').detail).toContain('of the earlier server; will be saved aside');
  expect(snapshot(home)).toEqual(before);
});

it('finds damage in the middle of a database', async () => {
  const { home, db } = await usedHome();
  const bytes = readFileSync(db);
  bytes.fill(0xa5, 8_192, bytes.length);
  writeFileSync(db, bytes);
  const { failing } = await doctor(home);
  expect(failing.length).toBeGreaterThan(0);
  expect(failing.every((check) => check.group === 'Database' && check.fix !== undefined)).toBe(true);
});

it('names a file that is where a directory should be', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'file'), '');
  const { failing } = await doctor(home, { args: ['--data-dir', 'file', '--db', 'file/deeper/a.db'] });
  expect(failing.map((check) => check.detail)).toEqual([
    expect.stringContaining(`${join(home, 'file')} is not a directory`),
    expect.stringContaining(`${join(home, 'file')} is not a directory`),
  ]);
  expect(failing.map((check) => check.fix)).toEqual([
    expect.stringContaining('AGENT_RUNTIME_DB_PATH'),
    expect.stringContaining('AGENT_RUNTIME_DATA_DIR'),
  ]);
});

it('shows the newest backup', async () => {
  const home = tempDir();
  const backups = join(home, '.claude', 'agent_runtime', 'backups');
  mkdirSync(backups, { recursive: true });
  for (const day of [18, 20, 19]) writeFileSync(join(backups, `agent_runtime-202611${day}T120000000Z-manual.db`), '');
  expect((await doctor(home)).find('Database', 'backup').detail).toContain('20261120T120000000Z');
});

it('works while another process holds the database locked', async () => {
  const { home, db } = await usedHome();
  const holder = connect(db);
  holder.exec('begin exclusive');
  const { failing } = await doctor(home);
  holder.exec('rollback');
  holder.close();
  expect(failing).toEqual([]);
});

it('ends quietly in a pipe that is closed', async () => {
  const { child, ended } = startCli(['doctor'], { home: tempDir() });
  child.stdout.destroy();
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([0, '']);
});

it.runIf(process.platform === 'linux')('names a stopped process that keeps everybody from writing', async () => {
  const { home, db } = await usedHome();
  expect((await doctor(home)).find('Processes', 'write lock').detail).toBe('free');
  const holder = await startTalking('hold-lock', [db, 'begin immediate']);
  await holder.nextLine();
  const { pid } = holder.process;
  holder.process.kill('SIGSTOP');
  const { find } = await doctor(home);
  expect(find('Processes', 'write lock')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(new RegExp(`^held by process ${pid} .*stopped: nobody can write`)),
    fix: expect.stringContaining(`kill -CONT ${pid}`),
  });
  holder.process.kill('SIGKILL');
});

it('finds damage in the write-ahead log that SQLite would pass over; runtime_status says it once it is open', async () => {
  const { home, db } = await usedHome();
  const live = connect(db);
  for (let goal = 0; goal < 5; goal++) live.prepare("update goals set name = name || 'x'").run();
  const elsewhere = join(tempDir(), 'copy.db');
  for (const part of ['', '-wal']) copyFileSync(db + part, elsewhere + part);
  live.close();
  const log = readFileSync(`${elsewhere}-wal`);
  log[32 + 24 + 500] = (log[32 + 24 + 500] ?? 0) ^ 1;
  writeFileSync(`${elsewhere}-wal`, log);
  const env = { AGENT_RUNTIME_DB_PATH: elsewhere };
  const loss = 'The write-ahead log was damaged at frame 1: its last 5 transactions are lost.';
  expect((await doctor(home, { env })).find('Database', 'write-ahead log')).toMatchObject({
    status: 'fail',
    detail: loss,
  });
  const server = await connectServer({ home, env });
  expect((await server.ok('runtime_status')).database.loss).toBe(loss);
  expect(server.stderr()).toContain(loss);
});
