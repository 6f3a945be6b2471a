import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { RuntimeError } from '../base/errors.js';
import { type Git, gitWords } from '../base/git.js';

/** A repository as one of its directories sees it. */
export interface Repository {
  /** The directory that all of its worktrees share, `/home/ada/shop/.git`. */
  commonDir: string;
  /** For the directory of its worktrees: `shop-1a2b3c4d`. */
  name: string;
  /** What is checked out there. */
  head: string;
  /** Null where no branch is checked out. */
  branch: string | null;
}

/** The repository around a directory. Throws `not_configured`, saying what is missing for a worktree. */
export async function openRepository(git: Git, directory: string): Promise<Repository> {
  if (directory === '') {
    throw noRepository(
      'the session names no project directory',
      'Start the client in a git repository, or set CLAUDE_PROJECT_DIR to one.',
    );
  }
  if (!isDirectory(directory)) {
    throw noRepository(`${directory} is no directory of this machine`, 'Work in a git repository of this machine.');
  }
  const found = await git.try(['rev-parse', '--git-common-dir'], { cwd: directory });
  if (found.exitCode !== 0) {
    const isNone = /not a git repository/i.test(found.stderr);
    throw isNone
      ? noRepository(`${directory} is in no git repository`, 'Run git init and commit there, or leave worktree out.')
      : noRepository(`git refuses ${directory}: ${gitWords(found)}`, 'Correct that, or leave worktree out.');
  }
  const commonDir = resolve(directory, found.stdout.trim());
  const head = await commitAt(git, directory, 'HEAD');
  if (head === undefined) {
    throw noRepository(`the repository of ${directory} has no commits yet`, 'Commit something there first.');
  }
  const branch = await git.try(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd: directory });
  return { commonDir, name: nameOf(commonDir), head, branch: branch.exitCode === 0 ? branch.stdout.trim() : null };
}

/** The commit that a name stands for; undefined where there is none. */
export async function commitAt(git: Git, cwd: string, name: string): Promise<string | undefined> {
  const end = await git.try(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], { cwd });
  return end.exitCode === 0 ? end.stdout.trim() : undefined;
}

/** Whether all that `older` holds is also in `newer`. */
export async function isAncestor(git: Git, cwd: string, older: string, newer: string): Promise<boolean> {
  return older === newer || (await git.try(['merge-base', '--is-ancestor', older, newer], { cwd })).exitCode === 0;
}

function nameOf(commonDir: string): string {
  const directory = basename(commonDir) === '.git' ? dirname(commonDir) : commonDir;
  const hash = createHash('sha256').update(commonDir).digest('hex').slice(0, 8);
  return `${slugOf(basename(directory).replace(/\.git$/, '')) || 'repository'}-${hash}`;
}

/** A text as a part of a path and of a branch: `Fix the login!` as `fix-the-login`; '' if it has no such letters. */
export function slugOf(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function noRepository(why: string, hint: string): RuntimeError {
  return new RuntimeError('not_configured', `A worktree cannot be made: ${why}.`, hint);
}
