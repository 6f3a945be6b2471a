import type { Git } from '../base/git.js';
import { commitAt, isAncestor } from './repository.js';
import { readContents, type Tree } from './tree.js';

/** One changed file; a binary one has no lines. */
export interface ChangedFile {
  path: string;
  added: number | null;
  removed: number | null;
}

/** What a worktree has that its branch did not begin with, committed or not. */
export interface Difference {
  /** Commits on its branch. */
  commits: number;
  hasUncommitted: boolean;
  fileCount: number;
  /** The first 100. */
  files: ChangedFile[];
  added: number;
  removed: number;
  /** In git's own form, at most `mostPatch` bytes of it. */
  patch: string;
  isPatchCut: boolean;
}

const mostFiles = 100;

/** Bytes of a patch that are shown. */
const mostPatch = 60_000;

/** The difference of a worktree. Throws as `readContents` does. */
export async function readDifference(git: Git, tree: Tree): Promise<Difference> {
  const { head, snapshot } = await readContents(git, tree);
  const base = await baseOf(git, tree, head);
  const cwd = tree.repository;
  const plain = ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'];
  const [commits, numbers, patch] = await Promise.all([
    git.run(['rev-list', '--count', `${base}..${head}`], { cwd }),
    git.run([...plain, '--numstat', '-z', base, snapshot], { cwd }),
    git.try([...plain, base, snapshot], { cwd, mostOutput: mostPatch }),
  ]);
  const files = numbers
    .split('\0')
    .filter((line) => line !== '')
    .map(readNumbers);
  const sum = (side: 'added' | 'removed') => files.reduce((total, file) => total + (file[side] ?? 0), 0);
  return {
    commits: Number(commits),
    hasUncommitted: snapshot !== head,
    fileCount: files.length,
    files: files.slice(0, mostFiles),
    added: sum('added'),
    removed: sum('removed'),
    patch: patch.stdout,
    isPatchCut: patch.isCut,
  };
}

function readNumbers(line: string): ChangedFile {
  const [added = '', removed = '', ...path] = line.split('\t');
  const count = (text: string) => (text === '-' ? null : Number(text));
  return { path: path.join('\t'), added: count(added), removed: count(removed) };
}

/** Where its own work begins: after what it has taken over from the branch it is merged into. */
async function baseOf(git: Git, { repository, base_branch, base_commit }: Tree, head: string): Promise<string> {
  if (base_branch === null) return base_commit;
  const tip = await commitAt(git, repository, `refs/heads/${base_branch}`);
  if (tip === undefined) return base_commit;
  const end = await git.try(['merge-base', tip, head], { cwd: repository });
  const shared = end.stdout.trim();
  return shared !== '' && (await isAncestor(git, repository, base_commit, shared)) ? shared : base_commit;
}
