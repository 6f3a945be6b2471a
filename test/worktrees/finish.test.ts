import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { branchesOf, desk, worktreesOf } from './desk.js';
import { commitFiles, git, gitRepository, writeFiles } from './git-repository.js';

describe('finish_worktree', () => {
  async function withWork(files: Record<string, string> = { 'a.txt': 'one\nmine\nthree\n' }) {
    const project = gitRepository();
    const made = await desk(project);
    const { id } = await made.call('create_task', { title: 'Change two' });
    const { worktree } = await made.call('claim_next_task', { worktree: true });
    writeFiles(worktree.path, files);
    const finish = (action: string, more: object = {}) =>
      made.call('finish_worktree', { task_id: id, action, ...more });
    return { ...made, project, id, worktree, finish };
  }

  it('merges also where the branch is checked out nowhere', async () => {
    const { project, finish, worktree } = await withWork();
    git(project, 'switch', '--quiet', '-c', 'elsewhere');
    const { commit } = await finish('merge');
    expect(git(project, 'rev-parse', 'main')).toBe(commit);
    expect(git(project, 'show', 'main:a.txt')).toContain('mine');
    expect(readFileSync(join(project, 'a.txt'), 'utf8')).toContain('two');
    expect(existsSync(worktree.path)).toBe(false);
  });

  it('says what conflicts, and changes nothing', async () => {
    const { project, finish, worktree } = await withWork();
    const head = commitFiles(project, { 'a.txt': 'one\ntheirs\nthree\n' }, 'Theirs');
    const tip = git(worktree.path, 'rev-parse', 'HEAD');
    await expect(finish('merge')).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/a\.txt/) });
    expect(git(project, 'rev-parse', 'main')).toBe(head);
    expect(git(project, 'status', '--porcelain')).toBe('');
    expect(git(worktree.path, 'rev-parse', 'HEAD')).toBe(tip);
    expect(git(worktree.path, 'status', '--porcelain')).toBe(' M a.txt');
    git(worktree.path, 'commit', '--quiet', '-am', 'Mine');
    expect(() => git(worktree.path, 'merge', 'main')).toThrow();
    await expect(finish('merge')).rejects.toMatchObject({ message: expect.stringMatching(/not finished: a\.txt/) });
    commitFiles(worktree.path, { 'a.txt': 'one\nboth\nthree\n' }, 'Both');
    await finish('merge');
    expect(readFileSync(join(project, 'a.txt'), 'utf8')).toContain('both');
  });

  it('does not merge over changes that are not committed, or over files that git does not know', async () => {
    const { project, finish, worktree } = await withWork({ 'a.txt': 'mine\n', 'b.txt': 'mine\n' });
    writeFiles(project, { 'a.txt': 'a person works here\n' });
    await expect(finish('merge')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/not committed: a\.txt/),
    });
    git(project, 'checkout', '--quiet', 'a.txt');
    writeFiles(project, { 'b.txt': 'a person works here\n' });
    await expect(finish('merge')).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/b\.txt/) });
    expect(readFileSync(join(project, 'b.txt'), 'utf8')).toBe('a person works here\n');
    expect(existsSync(join(worktree.path, 'b.txt'))).toBe(true);
  });

  it('discards work only by force, and keeps its commits under a ref', async () => {
    const { project, finish, worktree, id } = await withWork();
    await expect(finish('discard')).rejects.toMatchObject({ code: 'conflict' });
    expect(existsSync(worktree.path)).toBe(true);
    const { kept_as } = await finish('discard', { force: true });
    expect(kept_as).toBe(`refs/agent-runtime/discarded/${id}`);
    expect(git(project, 'show', `${kept_as}:a.txt`)).toContain('mine');
    expect([existsSync(worktree.path), worktreesOf(project), branchesOf(project)]).toEqual([false, 0, ['main']]);
  });

  it('leaves what is kept to a person', async () => {
    const { finish, worktree, runtime, call, id } = await withWork({});
    await finish('keep');
    await call('update_task_status', { task_id: id, status: 'completed' });
    await runtime.worktrees.sweep();
    expect(existsSync(worktree.path)).toBe(true);
    expect((await call('get_task', { task_id: id })).worktree.status).toBe('kept');
    expect(await finish('discard')).toMatchObject({ status: 'discarded' });
  });

  it('is refused to others while somebody works on the task', async () => {
    const { session, id } = await withWork();
    const other = await session('two');
    await expect(other('finish_worktree', { task_id: id, action: 'discard', force: true })).rejects.toMatchObject({
      code: 'already_claimed',
    });
  });

  it('merges what has changed within the second of its checkout, and is as long as before', async () => {
    const { finish, worktree, project } = await withWork({});
    const file = join(worktree.path, 'a.txt');
    const index = git(worktree.path, 'rev-parse', '--path-format=absolute', '--git-path', 'index');
    // Nothing but its content tells git of such a change.
    git(project, 'config', 'core.trustctime', 'false');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    git(worktree.path, 'update-index', '--refresh');
    utimesSync(index, 1_700_000_000, 1_700_000_000);
    writeFileSync(file, 'one\nTWO\nthree\n');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    await finish('merge');
    expect(git(project, 'show', 'main:a.txt')).toContain('TWO');
  });

  it('refuses files that git was told not to look at', async () => {
    const { finish, worktree } = await withWork();
    git(worktree.path, 'update-index', '--assume-unchanged', 'a.txt');
    for (const action of ['merge', 'discard']) {
      await expect(finish(action, { force: true })).rejects.toMatchObject({ message: expect.stringMatching(/a\.txt/) });
    }
    expect(readFileSync(join(worktree.path, 'a.txt'), 'utf8')).toContain('mine');
  });

  it('handles a repository with a submodule, and never removes one that is checked out', async () => {
    const inner = gitRepository({ 'inner.txt': 'inner\n' });
    const project = gitRepository();
    git(project, 'submodule', 'add', '--quiet', inner, 'lib');
    git(project, 'commit', '--quiet', '-m', 'Use lib');
    const { call } = await desk(project);
    await call('create_tasks', { tasks: [{ title: 'one' }, { title: 'two' }] });
    const one = await call('claim_next_task', { worktree: true });
    expect(await call('finish_worktree', { task_id: one.id, action: 'discard' })).toMatchObject({
      status: 'discarded',
    });
    await call('update_task_status', { task_id: one.id, status: 'completed' });
    const two = await call('claim_next_task', { worktree: true });
    git(two.worktree.path, 'submodule', '--quiet', 'update', '--init');
    await expect(call('finish_worktree', { task_id: two.id, action: 'discard' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/submodules/),
    });
    expect(existsSync(join(two.worktree.path, 'lib', 'inner.txt'))).toBe(true);
  });

  it('says that there is none', async () => {
    const { call } = await desk(gitRepository());
    const { id } = await call('create_task', { title: 'T' });
    await expect(call('finish_worktree', { task_id: id, action: 'merge' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
