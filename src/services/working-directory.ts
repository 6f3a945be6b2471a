import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { RuntimeError } from '../base/errors.js';
import type { Actor } from '../core/actor.js';
import type { Models, ResolvedModel } from '../llm/index.js';

export interface DirectoryRequest {
  working_directory?: string | undefined;
  worktree?: boolean | undefined;
}

/**
 * Where a background model works, with the links of the path followed; undefined leaves it to its provider. It must be
 * in the caller's project, or in a directory that the config file lends to the provider: what stands there, such as
 * hooks, is obeyed. Throws `invalid` for any other, and for a model that works with no files.
 */
export function workingDirectory(
  { working_directory: given, worktree }: DirectoryRequest,
  choices: readonly ResolvedModel[],
  actor: Actor,
  models: Models,
): string | undefined {
  if (given === undefined && !worktree) return undefined;
  const wanted = given ?? actor.project;
  const lent = choices.map((model) =>
    directoriesOf(model, models, given === undefined ? 'worktree' : 'working_directory'),
  );
  if (wanted === '') {
    throw new RuntimeError('invalid', 'This caller names no project to make a worktree of.', 'Pass working_directory.');
  }
  const directory = isAbsolute(wanted) ? realPath(wanted) : undefined;
  if (directory === undefined) {
    throw new RuntimeError(
      'invalid',
      `working_directory ${JSON.stringify(wanted)} is no directory of this machine.`,
      'Pass the absolute path of one that exists.',
    );
  }
  for (const { provider, directories } of lent) {
    const allowed = [actor.project, ...directories]
      .filter((path) => path !== '')
      .flatMap((path) => realPath(path) ?? []);
    if (allowed.some((path) => isWithin(directory, path))) continue;
    throw new RuntimeError(
      'invalid',
      `${provider} may not work in ${directory}, which is outside of this session's project.`,
      `Add it to providers.${provider}.workingDirectories in the config file, or work in ${allowed.join(', ') || 'a project'}.`,
    );
  }
  return directory;
}

function directoriesOf(model: ResolvedModel, models: Models, argument: string) {
  const { id: provider, directories } = models.provider(model.provider);
  if (directories) return { provider, directories };
  throw new RuntimeError(
    'invalid',
    `${model.requested} works with no files, so it has no use for ${argument}.`,
    `Use a model of a CLI, such as claude-code:sonnet, or leave ${argument} out.`,
  );
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
