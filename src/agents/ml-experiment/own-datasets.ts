import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../base/errors.js';
import { systemCode } from '../../base/network-error.js';
import { AgentError } from '../define-agent.js';
import { namePattern } from './payload.js';

export const tasks = ['classification', 'regression'] as const;
export type Task = (typeof tasks)[number];

const column = z.discriminatedUnion('kind', [
  z.strictObject({ name: z.string(), kind: z.literal('number'), missing: z.int(), min: z.number(), max: z.number() }),
  z.strictObject({
    name: z.string(),
    kind: z.enum(['category', 'ordinal']),
    missing: z.int(),
    categories: z.array(z.string()),
  }),
]);

/** What the data folder says about an imported data set: `<data>/datasets/NAME/dataset.json`, beside `data.csv`. */
const description = z.strictObject({
  name: z.string(),
  task: z.enum(tasks),
  target: z.string(),
  /** Empty for a numeric target. */
  classes: z.array(z.string()),
  rows: z.int(),
  /** Rows left out because of missing values. */
  dropped_rows: z.int(),
  /** Numbers per row after encoding. */
  inputs: z.int(),
  columns: z.array(column),
  rules: z.strictObject({
    categorical: z.array(z.string()),
    ordinal: z.record(z.string(), z.array(z.string())),
    ignore: z.array(z.string()),
    missing: z.enum(['fill', 'drop']),
  }),
  /** Of the CSV file; a file that no longer has it was changed after the import. */
  sha256: z.string(),
  size_bytes: z.int(),
  imported_at: z.string(),
});

export type OwnDataset = z.infer<typeof description>;

export const datasetsDir = (dataDir: string): string => join(dataDir, 'datasets');
export const csvName = 'data.csv';
export const descriptionName = 'dataset.json';

/** The CSV file of an imported data set. */
export const ownCsvPath = (dataDir: string, name: string): string => join(datasetsDir(dataDir), name, csvName);

/** The description of an imported data set; undefined when there is none of the name. Throws `DATASET_INVALID`. */
export function describeOwn(dataDir: string, name: string): OwnDataset | undefined {
  if (!namePattern.test(name)) return undefined;
  const path = join(datasetsDir(dataDir), name, descriptionName);
  const text = ifPresent(() => readFileSync(path, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return description.parse(JSON.parse(text));
  } catch (cause) {
    const reason = `${path} is not what an import writes; import the data set again`;
    throw new AgentError('DATASET_INVALID', `${reason}.`, false, { cause });
  }
}

/** An imported data set, or why it cannot be used. */
export type ListedOwn = OwnDataset | { name: string; problem: string };

/** All imported data sets by name, each compared with its checksum. */
export function listOwn(dataDir: string): ListedOwn[] {
  return ownNames(dataDir).flatMap((name): ListedOwn[] => {
    try {
      const found = describeOwn(dataDir, name);
      if (found) readChecked(dataDir, found);
      return found ? [found] : [];
    } catch (error) {
      return [{ name, problem: messageOf(error) }];
    }
  });
}

/** The names of the imported data sets, sorted. */
export function ownNames(dataDir: string): string[] {
  const names = ifPresent(() => readdirSync(datasetsDir(dataDir))) ?? [];
  return names.filter((name) => namePattern.test(name)).sort();
}

/** Deletes an imported data set; false when there is none of the name. */
export function removeOwn(dataDir: string, name: string): boolean {
  if (!ownNames(dataDir).includes(name)) return false;
  rmSync(join(datasetsDir(dataDir), name), { recursive: true, force: true });
  return true;
}

/** What to say when a job names a data set that is not there. */
export function unknownDataset(dataDir: string, name: string): string {
  const own = ownNames(dataDir);
  const known = ['iris', 'mnist', 'cifar10', ...own].join(', ');
  return `There is no data set ${JSON.stringify(name)}. Known: ${known}; "agent-runtime datasets import" adds one.`;
}

/** What to say when a support vector machine is asked for numbers. */
export const unsuitable = (dataset: string, target: string): string =>
  `svm tells classes apart, and the target of ${dataset}, ${target}, is a number. Use linear or neural.`;

/** The bytes of an imported CSV file. Throws `DATASET_CHANGED` when they are not those that were imported. */
export function readChecked(dataDir: string, { name, sha256 }: OwnDataset): Uint8Array {
  const path = ownCsvPath(dataDir, name);
  const bytes = ifPresent(() => readFileSync(path));
  if (bytes && sha256Of(bytes) === sha256) return bytes;
  throw new AgentError(
    'DATASET_CHANGED',
    `${path} ${bytes ? 'was changed' : 'was deleted'} after its import (sha256 ${sha256}). Import it again, with --force.`,
  );
}

/** Undefined when the file or directory is not there. */
export function ifPresent<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
