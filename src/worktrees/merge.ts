import { RuntimeError } from '../base/errors.js';
import { type Git, gitFailed, gitWords } from '../base/git.js';
import { commitAt, isAncestor } from './repository.js';
import { commitTree } from './tree.js';

/**
 * Merges a commit into a branch: fast-forward where that is possible, by a merge commit otherwise. Where the branch is
 * checked out, its files follow. Throws `conflict`, and changes nothing, where the files there have changes, where both
 * sides changed the same lines, and where the branch moves meanwhile; `not_found` for a branch that is gone. Resolves to
 * the commit that the branch has then.
 */
export async function mergeInto(
  git: Git,
  repository: string,
  { commit, branch, message }: { commit: string; branch: string; message: string },
): Promise<string> {
  const tip = await commitAt(git, repository, `refs/heads/${branch}`);
  if (tip === undefined) {
    throw new RuntimeError('not_found', `The branch ${branch} is gone.`, 'Merge by hand into another branch.');
  }
  if (await isAncestor(git, repository, commit, tip)) return tip;
  const place = await whereCheckedOut(git, repository, branch);
  if (place !== undefined) await refuseChanges(git, place, branch);
  const merged = await mergeCommits(git, repository, [tip, commit], message);
  if ('conflicts' in merged) throw inConflict(merged.conflicts, `${branch} has changed in the same places`);
  if (place === undefined) {
    const moved = await git.try(['update-ref', `refs/heads/${branch}`, merged.commit, tip], { cwd: repository });
    if (moved.exitCode === 0) return merged.commit;
    throw new RuntimeError('conflict', `${branch} was moved meanwhile: ${gitWords(moved)}`, 'Try again.');
  }
  const end = await git.try(['merge', '--ff-only', '--quiet', merged.commit], { cwd: place });
  if (end.exitCode === 0) return merged.commit;
  throw new RuntimeError(
    'conflict',
    `${branch}, which is checked out in ${place}, cannot take the merge: ${gitWords(end)}`,
    'Nothing was changed. Put that right there, then try again.',
  );
}

/**
 * One commit with all that several hold, without touching a branch or a file: the newest where it holds the others
 * already. Resolves to the files that are changed in the same places if git cannot merge them.
 */
export async function mergeCommits(
  git: Git,
  repository: string,
  [first = '', ...others]: readonly string[],
  message: string,
): Promise<{ commit: string } | { conflicts: string[] }> {
  let commit = first;
  for (const other of others) {
    if (await isAncestor(git, repository, other, commit)) continue;
    if (await isAncestor(git, repository, commit, other)) {
      commit = other;
      continue;
    }
    const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', commit, other];
    const end = await git.try(args, { cwd: repository });
    const [tree = '', ...conflicts] = end.stdout.split('\0').filter((part) => part !== '');
    if (end.exitCode === 1) return { conflicts };
    if (end.exitCode !== 0) throw cannotMerge(args, end);
    commit = await commitTree(git, repository, { tree, parents: [commit, other], message });
  }
  return { commit };
}

export function inConflict(files: readonly string[], why: string): RuntimeError {
  const shown = files.slice(0, 10).join(', ');
  const more = files.length > 10 ? ` and ${files.length - 10} more` : '';
  return new RuntimeError(
    'conflict',
    `It does not merge, because ${why}: ${shown}${more}. Nothing was changed.`,
    'Merge that branch into the one of the worktree there, resolve the conflicts and commit; then try again.',
  );
}

function cannotMerge(args: readonly string[], end: Parameters<typeof gitFailed>[1]): RuntimeError {
  const { message } = gitFailed(args, end);
  const isOld = /usage: git merge-tree|unknown option|write-tree/i.test(end.stderr);
  return isOld
    ? new RuntimeError('not_configured', 'Merging needs git 2.38 or newer.', 'Update git, or merge by hand.')
    : new RuntimeError('unavailable', message);
}

/** The directory in which a branch is checked out. */
async function whereCheckedOut(git: Git, repository: string, branch: string): Promise<string | undefined> {
  const listed = await git.run(['worktree', 'list', '--porcelain'], { cwd: repository });
  const entries = listed.split('\n\n').map((entry) => entry.split('\n'));
  const entry = entries.find((lines) => lines.includes(`branch refs/heads/${branch}`));
  return entry?.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
}

async function refuseChanges(git: Git, place: string, branch: string): Promise<void> {
  const status = await git.run(['status', '--porcelain', '-z', '--untracked-files=no'], { cwd: place });
  if (status === '') return;
  const files = status
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => line.slice(3));
  throw new RuntimeError(
    'conflict',
    `${branch} is checked out in ${place}, where changes are not committed: ${files.slice(0, 10).join(', ')}. Nothing was changed.`,
    'Commit or stash them there, then try again.',
  );
}
