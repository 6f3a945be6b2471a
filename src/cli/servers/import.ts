import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import type { Place } from '../install/client-app.js';
import { editFile } from '../install/edit-file.js';
import { machineOf } from '../install/machine.js';
import { commandName } from '../launch.js';
import type { Output } from '../output.js';
import { type ForeignServers, filesOf, readForeignFile } from './foreign-file.js';
import { type ImportedClient, importedClients } from './imported-clients.js';
import { type ImportPlan, planImport } from './plan-import.js';

export interface ImportOptions {
  file: string | undefined;
  /** Whose files are read, if no file is named. */
  client: ImportedClient | undefined;
  /** Whether to print the changes instead of making them. */
  isDry: boolean;
  /** Whether to replace servers that have the same name. */
  isReplacing: boolean;
}

/** Copies the servers of another client to the config file, or prints what that would change. */
export async function importServers(
  { file, client, isDry, isReplacing }: ImportOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  // It need not exist yet, and what is wrong in it is found when the servers are added.
  const { config } = readConfigDespiteErrors(flags.settings);
  const { configPath, home } = config;
  const sources = await readSources(file, client, machineOf(config).place);
  const plan = (text: string): ImportPlan => planImport(sources, text, { home, configPath, isReplacing });
  const isNew = !existsSync(configPath);
  const edited: { outcome: ImportPlan; backup?: string } = isDry
    ? { outcome: plan(readOrEmpty(configPath)) }
    : editFile(configPath, plan, Date.now());
  // The entries often hold keys, so nobody else may read a new file.
  if (isNew && existsSync(configPath)) chmodSync(configPath, 0o600);
  const { outcome, backup } = edited;
  const { text: _, ...report } = outcome;
  const files = sources.map((source) => source.file);
  if (flags.isJson)
    output.printJson({ config: configPath, files, dry_run: isDry, ...report, ...(backup ? { backup } : {}) });
  else print(output, outcome, { isDry, backup });
}

function print(
  output: Output,
  { added, replaced, unchanged, skipped, notes }: ImportPlan,
  { isDry, backup }: { isDry: boolean; backup: string | undefined },
): void {
  if (added.length > 0) output.quote(`${isDry ? 'Would have added' : 'Added'} ${added.join(', ')}.`);
  if (replaced.length > 0) output.quote(`${isDry ? 'Would have replaced' : 'Replaced'} ${replaced.join(', ')}.`);
  if (unchanged.length > 0) output.quote(`Already there: ${unchanged.join(', ')}.`);
  for (const { server, reason } of skipped) output.quote(`Skipped ${server}: ${reason}.`);
  for (const { server, note } of notes) output.quote(`Of ${server}: ${note}.`);
  if (backup) output.print(`Backup: ${backup}`);
  if (added.length + replaced.length > 0 && !isDry) output.print(`Next: ${commandName} servers check`);
}

async function readSources(
  file: string | undefined,
  client: ImportedClient | undefined,
  place: Place,
): Promise<ForeignServers[]> {
  if ((file === undefined) === (client === undefined)) {
    throw new RuntimeError(
      'invalid',
      'Name either a file or, with --client, whose servers to import.',
      `Clients: ${importedClients.join(', ')}.`,
    );
  }
  if (file !== undefined) return [await readForeignFile(file, place)];
  const files = filesOf(client as ImportedClient, place);
  const there = files.filter((path) => existsSync(path));
  if (there.length > 0) return Promise.all(there.map((path) => readForeignFile(path, place, { mayBeEmpty: true })));
  throw new RuntimeError('not_found', `${client} has no file here: there is no ${files.join(' and no ')}.`);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
