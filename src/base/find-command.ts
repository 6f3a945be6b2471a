import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Environment } from './settings.js';

/** The full path of a command, as a shell would find it; nothing when it is not there. Starts no process. */
export function findCommand(command: string, env: Environment): string | undefined {
  const directories = isAbsolute(command)
    ? ['']
    : (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const endings = process.platform === 'win32' ? (env.PATHEXT ?? '.EXE;.CMD').split(';') : [''];
  for (const directory of directories) {
    for (const ending of endings) {
      const path = join(directory, command + ending);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next directory may have it.
      }
    }
  }
  return undefined;
}
