import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newShortId } from '../../base/ids.js';
import { AgentError } from '../define-agent.js';
import type { Dataset } from './dataset.js';
import {
  csvName,
  datasetsDir,
  describeOwn,
  descriptionName,
  ifPresent,
  type OwnDataset,
  ownCsvPath,
  readChecked,
  sha256Of,
  unknownDataset,
} from './own-datasets.js';
import type { DatasetName } from './payload.js';
import type { Random } from './random.js';
import { invalidTable, parseTable, type TableRules } from './table.js';
import { type SplitRule, splitTabular, spreadOf } from './tabular.js';

/** 32 MiB: a million cells or so, which are read in some seconds. */
export const maxTableBytes = 32 * 1024 * 1024;

/**
 * Checks a CSV file and stores a copy of it with its description, whole or not at all. An earlier data set of the name is
 * replaced. Blocks for a large file.
 *
 * @param now ISO 8601, for `imported_at`
 * @throws AgentError `DATASET_INVALID` with line and column; errors of the file system as they are
 */
export function saveOwnDataset(
  dataDir: string,
  given: { name: string; bytes: Uint8Array; source: string; rules: TableRules; now: string },
): OwnDataset {
  const { name, bytes, source, rules, now } = given;
  const table = parseTable(decode(bytes, source), rules, source);
  const { target, categorical, ordinal, ignore, missing } = rules;
  const described: OwnDataset = {
    name,
    task: table.task,
    target,
    classes: table.classes,
    rows: table.rows,
    dropped_rows: table.droppedRows,
    inputs: table.inputs,
    columns: table.columns,
    rules: { categorical: [...categorical], ordinal: copyOf(ordinal), ignore: [...ignore], missing },
    sha256: sha256Of(bytes),
    size_bytes: bytes.length,
    imported_at: now,
  };
  write(dataDir, name, bytes, described);
  return described;
}

const copyOf = (ordinal: TableRules['ordinal']) =>
  Object.fromEntries(Object.entries(ordinal).map(([name, levels]) => [name, [...levels]]));

function write(dataDir: string, name: string, bytes: Uint8Array, described: OwnDataset): void {
  const directory = datasetsDir(dataDir);
  const temporary = join(directory, `.${name}.${newShortId()}.new`);
  const old = join(directory, `.${name}.${newShortId()}.old`);
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  try {
    writeDurably(join(temporary, csvName), bytes);
    writeDurably(join(temporary, descriptionName), Buffer.from(`${JSON.stringify(described, null, 2)}\n`));
    const target = join(directory, name);
    // A directory cannot be renamed over another that holds files.
    ifPresent(() => renameSync(target, old));
    try {
      renameSync(temporary, target);
    } catch (error) {
      ifPresent(() => renameSync(old, target));
      throw error;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads an imported data set, split and standardised.
 *
 * @throws AgentError `DATASET_NOT_FOUND`, `DATASET_CHANGED` (the file is not the one that was imported), `DATASET_INVALID`
 */
export function readOwn(dataDir: string, name: DatasetName, rule: SplitRule, random: Random): Dataset {
  const found = describeOwn(dataDir, name);
  if (!found) throw new AgentError('DATASET_NOT_FOUND', unknownDataset(dataDir, name));
  const path = ownCsvPath(dataDir, name);
  const rules = { ...found.rules, target: found.target, task: found.task };
  const table = parseTable(decode(readChecked(dataDir, found), path), rules, path);
  const { train, test } = splitTabular(table, rule, random);
  return {
    name,
    classes: table.classes,
    inputs: table.inputs,
    ...(table.task === 'regression' ? standardizeTarget(found.target, train, test) : { train, test }),
    source: `${path}, ${found.rows} rows, sha256 ${found.sha256}`,
    warnings: table.droppedRows > 0 ? [`${table.droppedRows} rows with missing values were left out`] : [],
  };
}

/** Standardises a numeric target with the mean and deviation of its train rows. */
function standardizeTarget(name: string, train: Dataset['train'], test: Dataset['test']) {
  const { mean, deviation } = spreadOf(train.labels);
  const standard = (rows: Dataset['train']) => ({
    ...rows,
    labels: Float64Array.from(rows.labels, (value) => (value - mean) / deviation),
  });
  return { train: standard(train), test: standard(test), target: { name, mean, deviation } };
}

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidTable(source, 'it is not UTF-8 text; save it as CSV in UTF-8', undefined, cause);
  }
}
