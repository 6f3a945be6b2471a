import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAge } from '../../src/cli/options.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { runCli } from './run-cli.js';

const databaseOf = (home: string) => join(home, '.claude', 'agent_runtime.db');
const backupsOf = (home: string) => join(home, '.claude', 'agent_runtime', 'backups');

async function boardWith(home: string, ...titles: string[]): Promise<void> {
  const server = await connectServer({ home });
  for (const title of titles) await server.ok('create_task', { title });
  await server.close();
}

async function titlesIn(home: string): Promise<string[]> {
  const { stdout } = await runCli(['tool', 'list_tasks', '--json'], { home });
  return JSON.parse(stdout)
    .tasks.map((task: { title: string }) => task.title)
    .sort();
}

describe('backup', () => {
  it('copies what is there while a server goes on writing', async () => {
    const home = tempDir();
    const server = await connectServer({ home });
    await server.ok('create_task', { title: 'kept' });
    const writing = Promise.all(
      Array.from({ length: 50 }, (_, index) => server.ok('create_task', { title: `later ${index}` })),
    );
    const { code, stdout } = await runCli(['backup', '--json'], { home });
    await writing;
    expect(code).toBe(0);
    const { path, size_bytes } = JSON.parse(stdout);
    expect(path.startsWith(backupsOf(home))).toBe(true);
    expect(statSync(path)).toMatchObject({ size: size_bytes });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const other = await runCli(['backup', path], { home });
    expect(other.code).toBe(4);
  });
});

describe('restore', () => {
  it('restores the contents of a backup, and saves a copy of the previous contents', async () => {
    const home = tempDir();
    await boardWith(home, 'old');
    await runCli(['backup'], { home });
    await boardWith(home, 'new');
    const { code, stdout } = await runCli(['restore', '--json'], { home });
    expect(code).toBe(0);
    const { saved, tasks } = JSON.parse(stdout);
    expect(tasks).toBe(1);
    expect(await titlesIn(home)).toEqual(['old']);
    expect((await runCli(['restore', saved], { home })).code).toBe(0);
    expect(await titlesIn(home)).toEqual(['new', 'old']);
  });

  it('refuses while a server has the database open; with --force, that server sees the restored rows', async () => {
    const home = tempDir();
    await boardWith(home, 'old');
    await runCli(['backup'], { home });
    const server = await connectServer({ home });
    await server.ok('create_task', { title: 'new' });
    const refused = await runCli(['restore'], { home });
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(`session ${server.pid}`);
    expect((await server.ok('list_tasks')).count).toBe(2);

    expect((await runCli(['restore', '--force'], { home })).code).toBe(0);
    const titles = (await server.ok('list_tasks')).tasks.map((task: { title: string }) => task.title);
    expect(titles).toEqual(['old']);
    expect((await server.ok('create_task', { title: 'after' })).id).toBe(2);
  });

  it('takes no file that is damaged or belongs to something else, and changes nothing then', async () => {
    const home = tempDir();
    await boardWith(home, 'kept');
    const stray = join(home, 'stray.db');
    writeFileSync(stray, 'no database at all '.repeat(500));
    const damaged = await runCli(['restore', stray], { home });
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain('is not an SQLite database');
    expect((await runCli(['restore', join(home, 'nowhere.db')], { home })).code).toBe(3);
    expect(await titlesIn(home)).toEqual(['kept']);
  });

  it('with --force replaces a database that cannot be read, and keeps a copy of it', async () => {
    const home = tempDir();
    await boardWith(home, 'old');
    await runCli(['backup'], { home });
    writeFileSync(databaseOf(home), 'ruined '.repeat(1_000));
    expect((await runCli(['restore'], { home })).code).toBe(1);
    expect((await runCli(['restore', '--force'], { home })).code).toBe(0);
    expect(await titlesIn(home)).toEqual(['old']);
    const aside = readdirSync(join(home, '.claude')).filter((name) => name.includes('.damaged-'));
    expect(aside.length).toBeGreaterThan(0);
  });
});

describe('purge', () => {
  it('deletes what ended before its time, never open work, and says where the backup is', async () => {
    const home = tempDir();
    const server = await connectServer({ home });
    await server.ok('create_tasks', {
      tasks: [
        { title: 'done', key: 'done' },
        { title: 'needed', key: 'needed' },
        { title: 'open', dependencies: ['needed'] },
      ],
    });
    for (const task_id of ['done', 'needed']) await server.ok('update_task_status', { task_id, status: 'completed' });
    await server.close();
    const young = await runCli(['purge', '--older-than', '1d', '--json'], { home });
    expect(JSON.parse(young.stdout)).toMatchObject({ tasks: 0 });
    const { stdout } = await runCli(['purge', '--older-than', '0m', '--json'], { home });
    const purged = JSON.parse(stdout);
    expect(purged).toMatchObject({ tasks: 1 });
    expect(existsSync(purged.backup)).toBe(true);
    expect(await titlesIn(home)).toEqual(['needed', 'open']);
  });

  it('takes ages with a unit only', async () => {
    expect([parseAge('30d'), parseAge('12h'), parseAge('2w'), parseAge('5m')]).toEqual([
      2_592_000_000, 43_200_000, 1_209_600_000, 300_000,
    ]);
    const { code, stderr } = await runCli(['purge', '--older-than', 'thirty'], { home: tempDir() });
    expect(code).toBe(2);
    expect(stderr).toContain('"thirty" is not an age');
  });
});
