import { isAbsolute, join, relative, sep } from 'node:path';
import { expand } from 'brace-expansion';
import { RuntimeError } from '../../base/errors.js';
import { isWild } from '../../base/path-globs.js';
import { realPath, workTreeOf } from '../../base/work-tree.js';

/** Globs that were given, as they are stored: relative to the root of their project, with slashes. */
export interface ProjectGlobs {
  root: string;
  globs: string[];
}

const mostGlobs = 200;

/**
 * The globs of a call under the root of its project: the work tree of git that `project` is in, or the project itself.
 * Braces are expanded. Throws `invalid` for a path outside of the root, and without a project for one that is not absolute.
 */
export function findProjectGlobs(given: readonly string[], project: string): ProjectGlobs {
  const globs = given.flatMap((glob) => expand(slashed(glob), { max: mostGlobs + 1 }));
  if (globs.length > mostGlobs) {
    throw new RuntimeError(
      'invalid',
      `These are more than ${mostGlobs} globs, braces expanded.`,
      'Reserve a folder as folder/** instead.',
    );
  }
  const root = rootOf(project === '' ? fixedPart(globs[0] ?? '') : project, project);
  return { root, globs: [...new Set(globs.map((glob) => withinRoot(glob, root)))] };
}

/** The root of a project's globs; undefined without a project. */
export const projectRootOf = (project: string): string | undefined =>
  project === '' ? undefined : rootOf(project, project);

function rootOf(directory: string, project: string): string {
  if (!isAbsolute(directory)) {
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(directory)} cannot be found, as this caller names no project.`,
      'Pass absolute paths, or call from a session in a project.',
    );
  }
  return workTreeOf(directory) ?? realPath(project === '' ? directory : project);
}

/** Windows writes paths with backslashes; elsewhere they are characters of a name. */
const slashed = (path: string): string => (sep === '\\' ? path.replaceAll('\\', '/') : path);

/** What comes before the first name with a wildcard. */
function fixedPart(glob: string): string {
  const names = glob.split('/');
  const wild = names.findIndex(isWild);
  return wild < 0 ? glob : names.slice(0, wild).join('/') || (glob.startsWith('/') ? '/' : '');
}

function withinRoot(glob: string, root: string): string {
  const fixed = fixedPart(glob);
  const rest = glob
    .slice(fixed.length)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const from = relative(root, realPath(isAbsolute(fixed) ? fixed : join(root, fixed)));
  if (from === '..' || from.startsWith(`..${sep}`) || isAbsolute(from) || rest.includes('..')) {
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(glob)} leads outside of the project ${root}.`,
      'Pass paths relative to that root, such as src/parser/** or docs/*.md.',
    );
  }
  // A slash at the end says that it is a folder.
  const folder = glob.endsWith('/') ? ['**'] : [];
  const names = [...slashed(from).split('/').filter(Boolean), ...rest, ...folder];
  return names.length === 0 ? '**' : names.join('/');
}
