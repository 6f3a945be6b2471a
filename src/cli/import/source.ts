import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { ImportedBoard } from '../../core/goals/import-board.js';
import type { importNames } from './import-names.js';

/** Where a reader may look. */
export interface Places {
  cwd: string;
  home: string;
}

/** A program whose board can be taken over. */
export interface Source {
  name: (typeof importNames)[number];
  /** Where it usually keeps its data, the most likely place first. */
  usual(places: Places): string[];
  /** Reads a file or a directory, and writes nothing. Throws `invalid`, naming it. */
  read(path: string): ImportedBoard | Promise<ImportedBoard>;
}

/** What is to be read: the path that was given, or the first usual one that exists. Throws `not_found`. */
export function findData({ name, usual }: Source, given: string | undefined, places: Places): string {
  const candidates = given === undefined ? usual(places) : [resolve(places.cwd, given)];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new RuntimeError(
    'not_found',
    missing(candidates),
    `Name the file or directory: agent-runtime import ${name} PATH`,
  );
}

function missing(candidates: readonly string[]): string {
  if (candidates.length === 0) return 'No file is named.';
  return candidates.length === 1
    ? `There is no ${candidates[0]}.`
    : `None of these is there: ${candidates.join(', ')}.`;
}

export const isDirectory = (path: string): boolean => statSync(path).isDirectory();

/** The name of the project that a file belongs to: the first directory above it that is not a tool's own. */
export function projectName(path: string, ownDirectories: readonly string[]): string {
  let directory = isDirectory(path) ? path : dirname(path);
  while (ownDirectories.includes(basename(directory))) directory = dirname(directory);
  return basename(directory) || 'project';
}

/** The file as text, without a byte order mark. Throws `invalid`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new RuntimeError('invalid', `${path} cannot be read: ${messageOf(cause)}.`, 'Name another file.', { cause });
  }
}

/** Parses JSON by a schema. Throws `invalid`, naming the file (and line) and the key that is wrong. */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema, path: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, `it is not JSON: ${messageOf(cause)}`);
  }
  return parseAs(value, schema, path);
}

/** Parses a value by a schema. Throws `invalid`, naming the file and the key that is wrong. */
export function parseAs<Schema extends z.ZodType>(value: unknown, schema: Schema, path: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(path, `${z.core.toDotPath(issue?.path ?? []) || 'the whole'}: ${issue?.message}`);
}

export function unreadable(path: string, why: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `${path} is not in the form that was expected: ${why}. Nothing was imported.`,
    '`agent-runtime import --help` says what each source reads.',
  );
}

/**
 * A time as another program wrote it, in ms since 1970; undefined for none or one that cannot be read. A time without a
 * zone is UTC, as SQLite and most tools write it, unless `isLocal`.
 */
export function timeOf(written: unknown, { isLocal = false } = {}): number | undefined {
  if (typeof written === 'number') return written < 100_000_000_000 ? written * 1_000 : written;
  if (written instanceof Date) return written.getTime();
  if (typeof written !== 'string' || written === '') return undefined;
  const text = written.trim().replace(/^(\d{4}-\d\d-\d\d) (\d)/, '$1T$2');
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes('T');
  const at = Date.parse(hasZone || isLocal ? text : `${text}Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** Texts under headings, without the empty ones; undefined if all are empty. */
export function sections(parts: readonly (readonly [heading: string, text: string | null | undefined])[]): string {
  return parts
    .flatMap(([heading, text]) => (text?.trim() ? [heading === '' ? text.trim() : `${heading}:\n${text.trim()}`] : []))
    .join('\n\n');
}

/** An object without the fields that say nothing. */
export function said<Value extends Record<string, unknown>>(
  value: Value,
): { [Key in keyof Value]: NonNullable<Value[Key]> } {
  const fields = Object.entries(value).filter(
    ([, field]) =>
      field !== undefined && field !== null && field !== '' && !(Array.isArray(field) && field.length === 0),
  );
  return Object.fromEntries(fields) as { [Key in keyof Value]: NonNullable<Value[Key]> };
}

/** Priorities in words, as most tools have them. */
export const priorityOf = (word: string | null | undefined): number | undefined =>
  ({ critical: 10, urgent: 10, high: 8, medium: 5, normal: 5, low: 3 })[word?.toLowerCase() ?? ''];
