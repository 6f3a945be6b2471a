import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { RuntimeError } from '../base/errors.js';
import { type Git, gitFailed } from '../base/git.js';
import type { WorktreeRow } from '../core/worktrees/worktrees.js';
import { commitAt, isAncestor, isDirectory } from './repository.js';

/** The columns that name a worktree on the disk. */
export type Tree = Pick<WorktreeRow, 'repository' | 'path' | 'branch' | 'base_branch' | 'base_commit' | 'title'>;

/** Checking out a large repository takes minutes. */
const checkoutMs = 600_000;

/** Makes a worktree with a branch of its own. Leaves nothing behind where git fails; throws `unavailable` with its words. */
export async function addTree(git: Git, tree: Tree): Promise<void> {
  const { repository, path, branch, base_commit } = tree;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const args = ['worktree', 'add', '--quiet', '--no-track', '-b', branch, path, base_commit];
    const end = await git.try(args, { cwd: repository, timeoutMs: checkoutMs });
    if (end.exitCode !== 0) throw gitFailed(args, end);
  } catch (error) {
    await dropUnused(git, tree).catch(() => {});
    const { message, code, hint } = error instanceof RuntimeError ? error : asUnavailable(error);
    throw new RuntimeError(code, `The worktree ${path} could not be made. ${message}`, hint, { cause: error });
  }
}

const asUnavailable = (error: unknown): RuntimeError =>
  new RuntimeError('unavailable', error instanceof Error ? `${error.message}.` : String(error));

/** Checks its branch out again at its path, after somebody has deleted the directory. */
export async function restoreTree(git: Git, { repository, path, branch }: Tree): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const args = ['worktree', 'add', '--quiet', '--force', path, branch];
  await git.run(args, { cwd: repository, timeoutMs: checkoutMs });
}

/**
 * Removes what an interrupted `addTree` has left: nobody was told of it, so it holds nothing but files of its commit.
 * Throws `conflict` if it holds others all the same, which are left alone then.
 */
export async function dropUnused(git: Git, { repository, path, branch, base_commit }: Tree): Promise<void> {
  if (isDirectory(path)) {
    const foreign = await filesBeside(git, path, base_commit);
    if (foreign !== '') {
      throw new RuntimeError('conflict', `${path} holds files that are not of its commit, such as ${foreign}.`);
    }
  }
  // An interrupted checkout is locked, which needs the second `--force`.
  await git.try(['worktree', 'remove', '--force', '--force', path], { cwd: repository });
  if (isDirectory(path)) rmSync(path, { recursive: true, force: true });
  await git.try(['update-ref', '-d', `refs/heads/${branch}`, base_commit], { cwd: repository });
}

/** A file that is not of a commit; '' if there is none. */
async function filesBeside(git: Git, path: string, commit: string): Promise<string> {
  return withIndex(async (indexFile) => {
    const isTree = (await git.try(['read-tree', commit], { cwd: path, indexFile })).exitCode === 0;
    if (!isTree) return '';
    const others = await git.run(['ls-files', '--others', '-z'], { cwd: path, indexFile });
    return others.split('\0')[0] ?? '';
  });
}

/** What is in a worktree now. */
export interface Contents {
  /** Whether the directory is there. */
  isThere: boolean;
  /** Its last commit. */
  head: string;
  /** The same with what is not committed, untracked files among it, as a commit that only this object names. */
  snapshot: string;
  /** Paths that git does not look at, because somebody told it not to. */
  hidden: string[];
  /** Files whose merge is not finished. */
  unmerged: string[];
}

/**
 * Reads what is in a worktree, without changing it or its branch. Throws `not_found` where both are gone, and `conflict`
 * where something else than its branch is checked out.
 */
export async function readContents(git: Git, tree: Tree): Promise<Contents> {
  const { repository, path, branch } = tree;
  const tip = await commitAt(git, repository, `refs/heads/${branch}`);
  if (!isDirectory(path)) {
    if (tip !== undefined) return { isThere: false, head: tip, snapshot: tip, hidden: [], unmerged: [] };
    throw new RuntimeError(
      'not_found',
      `The worktree ${path} and its branch ${branch} are gone.`,
      'Somebody removed them by hand; there is nothing left to merge or to discard.',
    );
  }
  const current = await git.try(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd: path });
  const head = await commitAt(git, path, 'HEAD');
  if (head === undefined || tip === undefined || current.stdout.trim() !== branch) {
    throw new RuntimeError(
      'conflict',
      `In ${path} ${current.stdout.trim() || 'no branch'} is checked out, not its branch ${branch}.`,
      `Run git switch ${branch} there, or finish that work by hand.`,
    );
  }
  const [hidden, unmerged] = await Promise.all([hiddenFiles(git, path), unmergedFiles(git, path)]);
  return { isThere: true, head, snapshot: await takeSnapshot(git, tree, head), hidden, unmerged };
}

/** Whether nothing at all was done in it, ignored files included. */
export async function isUntouched(git: Git, tree: Tree): Promise<boolean> {
  const { isThere, head, snapshot, hidden } = await readContents(git, tree);
  if (snapshot !== head || hidden.length > 0) return false;
  if (!(await isAncestor(git, tree.repository, head, tree.base_commit))) return false;
  if (!isThere) return true;
  const args = ['status', '--porcelain', '-z', '--ignored', '--untracked-files=all', '--ignore-submodules=none'];
  return (await git.run(args, { cwd: tree.path })) === '';
}

/** The commit of a worktree with all that is in it; `head` itself if there is nothing more. */
async function takeSnapshot(git: Git, { path, title }: Tree, head: string): Promise<string> {
  const own = resolve(path, await git.run(['rev-parse', '--git-dir'], { cwd: path }), 'index');
  return withIndex(async (indexFile) => {
    if (existsSync(own)) copyIndex(own, indexFile);
    else await git.run(['read-tree', head], { cwd: path, indexFile });
    await git.run(['add', '--all', '.'], { cwd: path, indexFile, timeoutMs: checkoutMs });
    const tree = await git.run(['write-tree'], { cwd: path, indexFile });
    if (tree === (await git.run(['rev-parse', `${head}^{tree}`], { cwd: path }))) return head;
    return commitTree(git, path, { tree, parents: [head], message: title });
  });
}

/**
 * A copy knows which files have not changed, so that git reads only the others. Git reads again those that are as new as
 * their index, because they may have changed within the same second: the copy must not look newer than it is.
 */
function copyIndex(own: string, copy: string): void {
  const second = Math.floor(statSync(own).mtimeMs / 1000);
  copyFileSync(own, copy);
  utimesSync(copy, second, second);
}

/** Makes a commit that no branch has yet. */
export async function commitTree(
  git: Git,
  cwd: string,
  { tree, parents, message }: { tree: string; parents: readonly string[]; message: string },
): Promise<string> {
  const known = await git.try(['var', 'GIT_COMMITTER_IDENT'], { cwd });
  const identity =
    known.exitCode === 0 ? [] : ['-c', 'user.name=agent-runtime', '-c', 'user.email=agent-runtime@localhost'];
  const from = parents.flatMap((parent) => ['-p', parent]);
  return git.run([...identity, 'commit-tree', tree, ...from, '-m', message], { cwd });
}

/** Files that are marked as unchanged or as left out, and are there. */
async function hiddenFiles(git: Git, path: string): Promise<string[]> {
  const listed = await git.run(['ls-files', '-v', '-z'], { cwd: path, mostOutput: 64_000_000 });
  return listed
    .split('\0')
    .filter((line) => /^[a-z] /.test(line) || (line.startsWith('S ') && existsSync(join(path, line.slice(2)))))
    .map((line) => line.slice(2));
}

async function unmergedFiles(git: Git, path: string): Promise<string[]> {
  const listed = await git.run(['diff', '--name-only', '--diff-filter=U', '-z'], { cwd: path });
  return listed.split('\0').filter((name) => name !== '');
}

/**
 * Removes a worktree with the contents that were read, and its branch. Throws `conflict` if more has been done in it
 * since: then it stays, with that.
 */
export async function removeTree(git: Git, tree: Tree, { head, snapshot, isThere }: Contents): Promise<void> {
  const { repository, path, branch } = tree;
  if (isThere) {
    // With branch and index at the snapshot nothing of it counts as changed, so git itself refuses if more has come since.
    if (snapshot !== head) {
      await git.run(['update-ref', `refs/heads/${branch}`, snapshot, head], { cwd: repository });
    }
    await git.run(['reset', '--quiet'], { cwd: path });
    await removeClean(git, tree);
  }
  // Git may know of one whose directory somebody has deleted, or may not.
  else await git.try(['worktree', 'remove', path], { cwd: repository });
  await git.run(['update-ref', '-d', `refs/heads/${branch}`, snapshot], { cwd: repository });
}

async function removeClean(git: Git, { repository, path }: Tree): Promise<void> {
  const end = await git.try(['worktree', 'remove', path], { cwd: repository });
  if (end.exitCode === 0) return;
  if (/submodule/i.test(end.stderr) && (await isClean(git, path)) && !(await hasSubmodules(git, path))) {
    // Git asks for `--force` wherever submodules are named, also where none of them is checked out.
    await git.run(['worktree', 'remove', '--force', path], { cwd: repository });
    return;
  }
  throw new RuntimeError(
    'conflict',
    `The worktree ${path} stays: ${gitFailed(['worktree', 'remove'], end).message}`,
    'Look at what is in it, then try again.',
  );
}

async function isClean(git: Git, path: string): Promise<boolean> {
  return (await git.run(['status', '--porcelain', '-z', '--ignore-submodules=none'], { cwd: path })) === '';
}

/** Whether a submodule is checked out, or another repository stands in it. */
async function hasSubmodules(git: Git, path: string): Promise<boolean> {
  const staged = await git.run(['ls-files', '--stage', '-z'], { cwd: path, mostOutput: 64_000_000 });
  const links = staged.split('\0').filter((line) => line.startsWith('160000 '));
  return links.some((line) => existsSync(join(path, line.slice(line.indexOf('\t') + 1), '.git')));
}

/** Gives `use` the path of an index of its own. */
async function withIndex<Result>(use: (indexFile: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-runtime-index-'));
  try {
    return await use(join(directory, 'index'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
