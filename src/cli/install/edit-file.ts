import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';

export interface EditedFile<Outcome> {
  outcome: Outcome;
  /** Where the file as it was has been kept; absent when there was none, or nothing was changed. */
  backup?: string;
}

/**
 * Changes a user's file in one step: whoever reads it meanwhile sees it before or after, never half. What it was stays
 * beside it. `edit` gets the text ('' when there is no file); whatever it throws leaves everything as it is.
 */
export function editFile<Outcome extends { text: string }>(
  file: string,
  edit: (text: string) => Outcome,
  now: number,
): EditedFile<Outcome> {
  try {
    return editReal(behindLinks(file), edit, now);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new RuntimeError('unavailable', `${file} cannot be changed: ${error.message}`, 'See to its permissions.', {
      cause: error,
    });
  }
}

function editReal<Outcome extends { text: string }>(
  file: string,
  edit: (text: string) => Outcome,
  now: number,
): EditedFile<Outcome> {
  const found = statSync(file, { throwIfNoEntry: false });
  const before = found ? readText(file) : '';
  const outcome = edit(before);
  if (outcome.text === before) return { outcome };
  mkdirSync(dirname(file), { recursive: true });
  const backup = `${file}.backup-${stampOf(now)}`;
  if (found) copyFileSync(file, backup, constants.COPYFILE_EXCL);
  replace(file, outcome.text, found?.mode);
  return found ? { outcome, backup } : { outcome };
}

/** Another encoding would come back damaged. */
function readText(file: string): string {
  const bytes = readFileSync(file);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new RuntimeError('invalid', `${file} is not UTF-8 text. Nothing was changed.`, 'Save it as UTF-8.', {
      cause: error,
    });
  }
}

function replace(file: string, text: string, mode: number | undefined): void {
  const unfinished = `${file}.${newShortId()}.part`;
  try {
    writeFileSync(unfinished, text, { flag: 'wx', flush: true, ...(mode === undefined ? {} : { mode }) });
    // The process's umask has been taken off a mode that the user once chose.
    if (mode !== undefined) chmodSync(unfinished, mode);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** People keep such files in a repository and link to them; the link is to stay. */
function behindLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function stampOf(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:.]/g, '');
}
