import { AgentError } from '../agents/define-agent.js';
import { describeOwn, type OwnDataset, removeOwn } from '../agents/ml-experiment/own-datasets.js';
import { maxTableBytes, saveOwnDataset } from '../agents/ml-experiment/own-table.js';
import { isBuiltInDataset, namePattern, nameRule } from '../agents/ml-experiment/payload.js';
import type { TableRules } from '../agents/ml-experiment/table.js';
import type { Clock } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { readNamedFile } from './read-named-file.js';

export interface DatasetImport {
  name: string;
  /** A CSV file anywhere, as the user named it. */
  file: string;
  rules: TableRules;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** Whether a data set that is already there is replaced. */
  mayReplace: boolean;
  clock: Pick<Clock, 'now'>;
}

/**
 * `agent-runtime datasets import`: checks every cell of a CSV file and stores a copy under a name that training jobs know.
 *
 * @throws RuntimeError `invalid` (name, content with line and column, size, not a regular file), `not_found`; `conflict`
 *   when the name is taken; `unavailable` when the copy cannot be written. Nothing is stored then.
 */
export async function importDataset(request: DatasetImport): Promise<OwnDataset> {
  const { name, file, rules, dataDir, clock } = request;
  refuseName(request);
  const bytes = await readNamedFile(file, { maxBytes: maxTableBytes, hint: fileHint, asInvalid });
  try {
    return saveOwnDataset(dataDir, { name, bytes, source: file, rules, now: new Date(clock.now()).toISOString() });
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    throw new RuntimeError(
      'unavailable',
      `The data set cannot be written to ${dataDir}: ${messageOf(cause)}.`,
      'Check the permissions and the free space there, or set AGENT_RUNTIME_DATA_DIR to another directory.',
      { cause },
    );
  }
}

/** `agent-runtime datasets show`. Throws `not_found`, and `invalid` for a description that cannot be read. */
export function showDataset(dataDir: string, name: string): OwnDataset {
  try {
    const found = describeOwn(dataDir, name);
    if (found) return found;
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    throw cause;
  }
  throw notFound(name);
}

/** `agent-runtime datasets remove`. Throws `not_found`. */
export function removeDataset(dataDir: string, name: string): void {
  if (!removeOwn(dataDir, name)) throw notFound(name);
}

function refuseName({ name, dataDir, mayReplace }: DatasetImport): void {
  if (!namePattern.test(name)) {
    throw new RuntimeError('invalid', `${JSON.stringify(name)} is no name for a data set.`, `It must be ${nameRule}.`);
  }
  if (isBuiltInDataset(name)) {
    throw new RuntimeError('conflict', `${name} is a data set of the program.`, 'Choose another name.');
  }
  if (mayReplace || !isTaken(dataDir, name)) return;
  throw new RuntimeError('conflict', `There is a data set ${name} already.`, 'Use --force to replace it.');
}

function isTaken(dataDir: string, name: string): boolean {
  try {
    return describeOwn(dataDir, name) !== undefined;
  } catch {
    // What is there cannot be read, but it is there.
    return true;
  }
}

const notFound = (name: string): RuntimeError =>
  new RuntimeError('not_found', `No data set ${JSON.stringify(name)} was imported.`, 'agent-runtime datasets list');

const fileHint = 'Give the path of a CSV file whose first line names the columns.';

function asInvalid(cause: AgentError): RuntimeError {
  return new RuntimeError('invalid', cause.message, 'Nothing was changed.', { cause });
}
