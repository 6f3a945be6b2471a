import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli } from '../cli/run-cli.js';
import { eventually } from '../support/eventually.js';
import { movingClock } from '../support/moving-clock.js';
import { databaseEnv } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { branchesOf, desk, realGit, worktreesOf } from './desk.js';
import { git, gitRepository, writeFiles } from './git-repository.js';

describe('the sweep', () => {
  it('removes the worktree of an ended task in which nothing was done, and no other', async () => {
    const project = gitRepository({ 'a.txt': 'a\n', '.gitignore': 'ignored\n' });
    const { call, runtime } = await desk(project);
    const done: Record<string, (path: string) => void> = {
      nothing: () => {},
      'a change': (path) => writeFiles(path, { 'a.txt': 'b\n' }),
      'a new file': (path) => writeFiles(path, { 'b.txt': 'b\n' }),
      'an ignored file': (path) => writeFiles(path, { ignored: 'secret\n' }),
      'a commit': (path) => git(path, 'commit', '--quiet', '--allow-empty', '-m', 'Nothing'),
      'another branch': (path) => git(path, 'switch', '--quiet', '-c', 'mine'),
      'a hidden change': (path) => {
        writeFiles(path, { 'a.txt': 'b\n' });
        git(path, 'update-index', '--assume-unchanged', 'a.txt');
      },
    };
    const paths = new Map<string, string>();
    for (const [title, work] of Object.entries(done)) {
      const { id } = await call('create_task', { title });
      const { worktree } = await call('claim_next_task', { worktree: true });
      work(worktree.path);
      paths.set(title, worktree.path);
      await runtime.worktrees.sweep();
      expect(existsSync(worktree.path), `${title}, while it is worked on`).toBe(true);
      await call('update_task_status', { task_id: id, status: 'completed' });
    }
    await runtime.worktrees.sweep();
    await runtime.worktrees.sweep();
    const left = [...paths].filter(([, path]) => existsSync(path)).map(([title]) => title);
    expect(left).toEqual(Object.keys(done).filter((title) => title !== 'nothing'));
    expect((await call('get_task', { task_id: 1 })).worktree.status).toBe('removed');
    expect(branchesOf(project)).not.toContain('agent-runtime/1-nothing');
  });

  it('keeps what belongs to a task that was deleted', async () => {
    const { call, runtime } = await desk(gitRepository());
    await call('create_tasks', { tasks: [{ title: 'empty' }, { title: 'full' }] });
    const empty = (await call('claim_next_task', { worktree: true })).worktree;
    const full = (await call('claim_next_task', { worktree: true })).worktree;
    writeFiles(full.path, { 'b.txt': 'b\n' });
    await call('clean_all_tasks', { confirm: true });
    await runtime.worktrees.sweep();
    expect([existsSync(empty.path), existsSync(full.path)]).toEqual([false, true]);
    expect(await runtime.worktrees.list()).toMatchObject([{ task_id: 2, path: full.path, status: 'active' }]);
    expect(await call('finish_worktree', { task_id: 2, action: 'merge' })).toMatchObject({ status: 'merged' });
  });

  it('removes what a process has left that was killed while it made a worktree', async () => {
    const project = gitRepository();
    const clock = movingClock(Date.now());
    const { call, runtime } = await desk(project, { clock });
    const { id } = await call('create_task', { title: 'T' });
    // The real git, which stops for good with the worktree half made.
    const bin = join(tempDir(), 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh
case "$*" in *"worktree add"*) ${realGit} "$@"; rm "$(ls -d "${runtime.config.dataDir}"/worktrees/*/*)/a.txt"
  echo $$ > "${bin}/pid"; exec sleep 600;; esac
exec ${realGit} "$@"
`;
    writeFileSync(join(bin, 'git'), script);
    chmodSync(join(bin, 'git'), 0o755);
    const env = {
      PATH: `${bin}:/usr/bin:/bin`,
      AGENT_RUNTIME_DB_PATH: runtime.config.dbPath,
      AGENT_RUNTIME_DATA_DIR: runtime.config.dataDir,
      ...(await databaseEnv(runtime.home)),
    };
    const claiming = startCli(['tool', 'claim_next_task', '--arg', 'worktree=true'], {
      home: runtime.home,
      env,
      cwd: project,
    });
    const pid = await eventually(
      'git is at it',
      () => existsSync(join(bin, 'pid')) && readFileSync(join(bin, 'pid'), 'utf8'),
    );
    claiming.child.kill('SIGKILL');
    await claiming.ended.catch(() => {});
    process.kill(Number(pid), 'SIGKILL');
    expect([worktreesOf(project), branchesOf(project).length]).toEqual([1, 2]);

    await runtime.worktrees.sweep();
    expect(worktreesOf(project), 'it may still be at work').toBe(1);
    clock.pass(2_000_000);
    await runtime.worktrees.sweep();
    expect([worktreesOf(project), branchesOf(project)]).toEqual([0, ['main']]);
    expect(await runtime.db.all('select * from worktrees')).toEqual([]);
    expect((await call('get_task', { task_id: id })).worktree).toBeUndefined();
  });

  it('goes on where a process was killed that removed or finished one', async () => {
    const clock = movingClock();
    const { call, runtime } = await desk(gitRepository(), { clock });
    const rows = async (status: string) => runtime.db.all(`select id from worktrees where status = '${status}'`);
    const made = async (title: string) => {
      const { id } = await call('create_task', { title });
      const { worktree } = await call('claim_next_task', { worktree: true });
      await call('update_task_status', { task_id: id, status: 'completed' });
      return { id, ...worktree };
    };
    const [marked, emptied, halfMerged] = [await made('marked'), await made('emptied'), await made('half merged')];
    const repository = dirname(git(marked.path, 'rev-parse', '--path-format=absolute', '--git-common-dir'));
    await runtime.db.run("update worktrees set status = 'removing' where task_id <= ?", emptied.id);
    git(repository, 'worktree', 'remove', emptied.path);
    // Killed after the merge, and after its branch was moved, before its files were.
    writeFiles(halfMerged.path, { 'b.txt': 'b\n' });
    git(halfMerged.path, 'add', '--all');
    const commit = git(halfMerged.path, 'commit-tree', git(halfMerged.path, 'write-tree'), '-p', 'HEAD', '-m', 'b');
    git(repository, 'merge', '--quiet', '--ff-only', commit);
    git(repository, 'update-ref', `refs/heads/${halfMerged.branch}`, commit);
    git(halfMerged.path, 'reset', '--quiet', 'HEAD~1', '--', 'b.txt');

    clock.pass(2_000_000);
    await runtime.worktrees.sweep();
    expect(await rows('removed')).toHaveLength(2);
    expect(existsSync(halfMerged.path)).toBe(true);
    await call('finish_worktree', { task_id: halfMerged.id, action: 'merge' });
    expect(git(repository, 'rev-parse', 'main')).toBe(commit);
    expect([worktreesOf(repository), branchesOf(repository)]).toEqual([0, ['main']]);
  });

  it('is a duty of maintenance', async () => {
    const clock = movingClock();
    const { call, runtime } = await desk(gitRepository(), { clock });
    const { id } = await call('create_task', { title: 'T' });
    const { worktree } = await call('claim_next_task', { worktree: true });
    await call('update_task_status', { task_id: id, status: 'completed' });
    clock.pass(600_000);
    await runtime.maintenance.runOnce();
    expect(existsSync(worktree.path)).toBe(false);
  });
});
