import type { Config } from '../../base/config.js';

/** The project that a list is kept to, with what belongs to none; undefined for all projects. */
export function withinProject({ project }: Config, isAll: boolean): string | undefined {
  return isAll || project === '' ? undefined : project;
}
