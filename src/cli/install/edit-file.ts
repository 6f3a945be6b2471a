import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
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
  /** The path of the backup; absent if there was no file, or nothing was changed. */
  backup?: string;
}

/** What `editFile` would do, without doing it. `before` is '' if there is no file. */
export function previewEdit<Outcome extends { text: string }>(
  file: string,
  edit: (text: string) => Outcome,
): { outcome: Outcome; before: string } {
  const before = existsSync(file) ? readText(file) : '';
  return { outcome: edit(before), before };
}

/**
 * Changes a user's file atomically: a reader sees the text before or after, never a part of it. A backup is left beside
 * it. `edit` gets the text, or '' if there is no file; if it throws, nothing is changed.
 */
export function editFile<Outcome extends { text: string }>(
  file: string,
  edit: (text: string) => Outcome,
  now: number,
): EditedFile<Outcome> {
  try {
    return editReal(resolveLinks(file), edit, now);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new RuntimeError('unavailable', `${file} cannot be changed: ${error.message}`, 'Check its permissions.', {
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
  // Clients' files hold keys, so a new one is its owner's alone.
  replace(file, outcome.text, found?.mode ?? 0o600);
  return found ? { outcome, backup } : { outcome };
}

/** Throws `invalid` for another encoding, which writing as UTF-8 would damage. */
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

function replace(file: string, text: string, mode: number): void {
  const unfinished = `${file}.${newShortId()}.part`;
  try {
    writeFileSync(unfinished, text, { flag: 'wx', flush: true, mode });
    // Restores the bits that the umask has removed from the file's mode.
    chmodSync(unfinished, mode);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Follows symbolic links, so that a link to a file in a repository stays a link. */
function resolveLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function stampOf(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:.]/g, '');
}
