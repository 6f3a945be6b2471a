import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/core/actor.js';
import { nameSession } from '../../src/core/coordination/sessions.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { startCli } from '../cli/run-cli.js';
import { eventually } from '../support/eventually.js';
import { movingClock } from '../support/moving-clock.js';
import { databaseEnv } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { type TestRuntimeOptions, testRuntime } from '../support/test-runtime.js';
import { commitFiles, git, gitRepository, writeFiles } from './git-repository.js';

/** Sessions of one runtime that work in a repository. */
async function desk(project: string, options: TestRuntimeOptions = {}) {
  const runtime = await testRuntime(options);
  const session = async (name: string, directory = project) => {
    const info = { clientSessionId: name, project: directory };
    const named = nameSession(info);
    await runtime.maintenance.beginSession(named, { ...info, clientName: name, clientVersion: '1' });
    return caller(named);
  };
  function caller(actor: Actor) {
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by using it.
    return async (name: string, input: object = {}): Promise<any> => {
      const tool = findTool(name);
      return tool.output.parse(
        JSON.parse(JSON.stringify(await runTool(tool, input, contextOf(runtime, actor, { sessionId: 's' })))),
      );
    };
  }
  return { runtime, session, call: await session('one') };
}

const realGit = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

const worktreesOf = (repository: string) => git(repository, 'worktree', 'list').split('\n').length - 1;
const branchesOf = (repository: string) => git(repository, 'branch', '--format=%(refname:short)').split('\n').sort();

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
    expect(await runtime.worktrees.list()).toMatchObject([{ path: full.path, status: 'active' }]);
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
    const claiming = startCli(['tool', 'claim_next_task', '--arg', 'worktree=true'], { home: runtime.home, env, cwd: project });
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
