import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';

/** Writes the whole text, or leaves the file as it was if that fails. Throws `invalid`. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${newShortId()}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = messageOf(cause);
    throw new RuntimeError(
      'invalid',
      `${path} cannot be written: ${reason}.`,
      `Make sure that ${dirname(path)} is a directory that you can write to.`,
      { cause },
    );
  }
}
