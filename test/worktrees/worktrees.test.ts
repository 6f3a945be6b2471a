import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';
import { branchesOf, desk, realGit, worktreesOf } from './desk.js';
import { commitFiles, git, gitRepository, writeFiles } from './git-repository.js';

describe('a claim with a worktree', () => {
  it('gives the task a directory and a branch of its own, named after it, outside of the repository', async () => {
    const project = gitRepository();
    const { call, runtime } = await desk(project);
    await call('create_task', { title: 'Fix the Lögin; rm -rf $HOME' });
    const { id, worktree } = await call('claim_next_task', { worktree: true });
    const { path, branch, base, status } = worktree;
    expect({ branch, base, status }).toEqual({
      branch: `agent-runtime/${id}-fix-the-login-rm-rf-home`,
      base: 'main',
      status: 'active',
    });
    expect(path.startsWith(join(runtime.config.dataDir, 'worktrees', 'shop-'))).toBe(true);
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(git(path, 'branch', '--show-current')).toBe(branch);
    expect(git(project, 'status', '--porcelain')).toBe('');
    expect((await call('get_task', { task_id: id })).worktree).toEqual(worktree);
  });

  it('shows what was done in it, committed or not, new files among it, and leaves its index alone', async () => {
    const project = gitRepository();
    const { call } = await desk(project);
    await call('create_task', { title: 'T' });
    const { id, worktree } = await call('claim_next_task', { worktree: true });
    commitFiles(worktree.path, { 'a.txt': 'one\nTWO\nthree\n' }, 'Change two');
    writeFiles(worktree.path, { 'new/b.txt': 'b\n' });
    const before = git(worktree.path, 'status', '--porcelain', '--untracked-files=all');
    const { diff } = (await call('get_task', { task_id: id, diff: true })).worktree;
    expect(diff).toMatchObject({ commits: 1, uncommitted: true, files_changed: 2, lines_added: 2, lines_removed: 1 });
    expect(diff.files).toEqual([
      { path: 'a.txt', added: 1, removed: 1 },
      { path: 'new/b.txt', added: 1, removed: 0 },
    ]);
    expect(diff.patch).toContain('+TWO');
    expect(diff.patch_cut).toBeUndefined();
    expect(git(worktree.path, 'status', '--porcelain', '--untracked-files=all')).toBe(before);
    writeFiles(worktree.path, { 'large.txt': 'x'.repeat(200_000) });
    const large = (await call('get_task', { task_id: id, diff: true })).worktree.diff;
    expect(large.patch.length).toBeLessThanOrEqual(60_000);
    expect(large.patch_cut).toBe(true);
  });

  it('is given to whoever claims the task again, with all that is in it', async () => {
    const project = gitRepository();
    const { call, session } = await desk(project);
    await call('create_task', { title: 'T' });
    const first = await call('claim_next_task', { worktree: true });
    writeFiles(first.worktree.path, { 'half.txt': 'half\n' });
    await call('release_task', { task_id: first.id });
    const other = await session('two');
    const second = await other('claim_next_task');
    expect(second.worktree).toEqual(first.worktree);
    await other('release_task', { task_id: first.id });
    rmSync(first.worktree.path, { recursive: true });
    expect((await call('claim_next_task', { worktree: true })).worktree).toEqual(first.worktree);
    expect(existsSync(join(first.worktree.path, 'a.txt'))).toBe(true);
  });

  it('is for the worker of a slot too', async () => {
    const { call } = await desk(gitRepository());
    await call('add_task', { id: 'build', description: 'Build it' });
    const { slot } = await call('claim_worker_slot', { worker_id: 'ada' });
    const claimed = await call('claim_task', { taskId: 'build', workerId: 'ada', workerSlot: slot, worktree: true });
    expect(existsSync(claimed.worktree.path)).toBe(true);
  });

  it('lets two sessions work on the same file of one repository at the same time', async () => {
    const project = gitRepository({ 'a.txt': 'one\ntwo\nthree\nfour\nfive\nsix\n' });
    const { call, session } = await desk(project);
    const other = await session('two');
    await call('create_tasks', { tasks: [{ title: 'First line' }, { title: 'Last line' }] });
    const [mine, theirs] = await Promise.all([
      call('claim_next_task', { worktree: true }),
      other('claim_next_task', { worktree: true }),
    ]);
    expect(mine.worktree.path).not.toBe(theirs.worktree.path);
    writeFiles(mine.worktree.path, { 'a.txt': 'ONE\ntwo\nthree\nfour\nfive\nsix\n' });
    writeFiles(theirs.worktree.path, { 'a.txt': 'one\ntwo\nthree\nfour\nfive\nSIX\n' });
    await Promise.all([
      call('update_task_status', { task_id: mine.id, status: 'completed' }),
      other('update_task_status', { task_id: theirs.id, status: 'completed' }),
    ]);
    expect(await call('finish_worktree', { task_id: mine.id, action: 'merge' })).toMatchObject({ merged_into: 'main' });
    expect(await call('finish_worktree', { task_id: theirs.id, action: 'merge' })).toMatchObject({ status: 'merged' });
    expect(readFileSync(join(project, 'a.txt'), 'utf8')).toBe('ONE\ntwo\nthree\nfour\nfive\nSIX\n');
    expect(git(project, 'log', '--format=%s').split('\n')).toContain('Last line');
    expect(worktreesOf(project)).toBe(0);
    expect(branchesOf(project)).toEqual(['main']);
    expect(git(project, 'status', '--porcelain')).toBe('');
  });

  it('runs no hook of the repository', async () => {
    const project = gitRepository();
    for (const hook of ['post-checkout', 'pre-commit', 'post-merge', 'reference-transaction']) {
      const path = join(project, '.git', 'hooks', hook);
      writeFileSync(path, `#!/bin/sh\necho ${hook} >> "${project}/hooks.log"\nexit 1\n`);
      chmodSync(path, 0o755);
    }
    const { call } = await desk(project);
    await call('create_task', { title: 'T' });
    const { id, worktree } = await call('claim_next_task', { worktree: true });
    writeFiles(worktree.path, { 'b.txt': 'b\n' });
    await call('finish_worktree', { task_id: id, action: 'merge' });
    expect(existsSync(join(project, 'b.txt'))).toBe(true);
    expect(existsSync(join(project, 'hooks.log'))).toBe(false);
  });
});

describe('a claim whose worktree cannot be made is given back, and says why', () => {
  const refusals: [string, () => string, RegExp, string][] = [
    ['no git repository', () => tempDir(), /is in no git repository/, 'not_configured'],
    [
      'no commits yet',
      () => {
        const directory = tempDir();
        git(directory, 'init', '--quiet');
        return directory;
      },
      /has no commits yet/,
      'not_configured',
    ],
    ['no such directory', () => '/nowhere/at/all', /\/nowhere\/at\/all is no directory/, 'not_configured'],
    ['no project', () => '', /names no project directory/, 'not_configured'],
  ];
  it.each(refusals)('%s', async (_, directory, message, code) => {
    const { call } = await desk(directory());
    const { id } = await call('create_task', { title: 'T' });
    await expect(call('claim_next_task', { worktree: true })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await call('get_task', { task_id: id })).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('git is missing', async () => {
    const { call } = await desk(gitRepository(), { env: { PATH: '/nonexistent' } });
    const { id } = await call('create_task', { title: 'T' });
    await expect(call('claim_next_task', { worktree: true })).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringMatching(/no git on the PATH/),
    });
    expect(await call('get_task', { task_id: id })).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('the disk is full', async () => {
    const bin = join(tempDir(), 'bin');
    mkdirSync(bin);
    // The real git, but for the checkout.
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\ncase "$*" in *"worktree add"*) ${realGit} "$@"; echo "fatal: write error: No space left on device" >&2; exit 128;; esac\nexec ${realGit} "$@"\n`,
    );
    chmodSync(join(bin, 'git'), 0o755);
    const project = gitRepository();
    const { call, runtime } = await desk(project, { env: { PATH: `${bin}:/usr/bin:/bin` } });
    const { id } = await call('create_task', { title: 'T' });
    await expect(call('claim_next_task', { worktree: true })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/could not be made.*No space left on device.*Task \d+ was given back/),
    });
    expect(await call('get_task', { task_id: id })).toMatchObject({ status: 'pending', attempts: 0 });
    expect([worktreesOf(project), branchesOf(project), await runtime.worktrees.list()]).toEqual([0, ['main'], []]);
  });
});

describe('a dependent task', () => {
  it('begins with what the task before it has done, committed or not, and is merged into the same branch', async () => {
    const project = gitRepository();
    const { call } = await desk(project);
    const { id: first } = await call('create_task', { title: 'First' });
    const { id: second } = await call('create_task', { title: 'Second', dependencies: [first] });
    const before = (await call('claim_next_task', { worktree: true })).worktree;
    commitFiles(before.path, { 'b.txt': 'b\n' }, 'Add b');
    writeFiles(before.path, { 'c.txt': 'c\n' });
    await call('update_task_status', { task_id: first, status: 'completed' });
    const after = (await call('claim_next_task', { worktree: true })).worktree;
    expect(after.base).toBe('main');
    expect(readFileSync(join(after.path, 'c.txt'), 'utf8')).toBe('c\n');
    expect(git(before.path, 'status', '--porcelain')).toBe('?? c.txt');
    writeFiles(after.path, { 'd.txt': 'd\n' });
    const { diff } = (await call('get_task', { task_id: second, diff: true })).worktree;
    expect(diff.files.map(({ path }: { path: string }) => path)).toEqual(['d.txt']);
    await call('finish_worktree', { task_id: first, action: 'merge' });
    await call('finish_worktree', { task_id: second, action: 'merge' });
    expect(git(project, 'ls-files').split('\n')).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
  });

  it('begins with the work of several merged, and says where they do not merge', async () => {
    const project = gitRepository();
    const { call } = await desk(project);
    const make = async (title: string, files: Record<string, string>) => {
      const { id } = await call('create_task', { title, priority: 10 });
      const { worktree } = await call('claim_next_task', { worktree: true });
      commitFiles(worktree.path, files, title);
      await call('update_task_status', { task_id: id, status: 'completed' });
      return id;
    };
    const b = await make('b', { 'b.txt': 'b\n' });
    const c = await make('c', { 'c.txt': 'c\n' });
    const other = await make('other b', { 'b.txt': 'another\n' });
    await call('create_task', { title: 'both', dependencies: [b, c] });
    const { worktree } = await call('claim_next_task', { worktree: true });
    expect(git(worktree.path, 'ls-files').split('\n')).toEqual(['a.txt', 'b.txt', 'c.txt']);
    const { id } = await call('create_task', { title: 'clash', dependencies: [b, other] });
    await expect(call('claim_next_task', { worktree: true })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(new RegExp(`task ${b}, task ${other}.*b\\.txt.*given back`)),
    });
    expect(await call('get_task', { task_id: id })).toMatchObject({ status: 'pending' });
  });
});
