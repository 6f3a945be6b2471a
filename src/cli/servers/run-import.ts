import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { readConfig } from '../../config.js';
import type { GlobalFlags } from '../global-flags.js';
import { editFile } from '../install/edit-file.js';
import type { Output } from '../output.js';
import { type ImportPlan, planImport } from './plan-import.js';

export interface ImportWishes {
  isDry: boolean;
  isReplacing: boolean;
}

/** Puts the servers of another client's file into the config file, or says what that would come to. */
export function runImport(
  file: string,
  { isDry, isReplacing }: ImportWishes,
  flags: GlobalFlags,
  output: Output,
): void {
  const { configPath } = readConfig(flags.settings);
  const source = readSource(resolve(file));
  const plan = (text: string): ImportPlan => planImport(source, text, { file, configPath, isReplacing });
  const isNew = !existsSync(configPath);
  const edited: { outcome: ImportPlan; backup?: string } = isDry
    ? { outcome: plan(readIfThere(configPath)) }
    : editFile(configPath, plan, Date.now());
  const { outcome, backup } = edited;
  // Such entries often hold keys.
  if (isNew && existsSync(configPath)) chmodSync(configPath, 0o600);
  const { added, replaced, unchanged, skipped } = outcome;
  if (flags.isJson) {
    output.printJson({
      config: configPath,
      dry_run: isDry,
      added,
      replaced,
      unchanged,
      skipped,
      ...(backup ? { backup } : {}),
    });
    return;
  }
  const would = isDry ? 'Would have ' : '';
  if (added.length > 0) output.quote(`${would}${isDry ? 'added' : 'Added'} ${added.join(', ')}.`);
  if (replaced.length > 0) output.quote(`${would}${isDry ? 'replaced' : 'Replaced'} ${replaced.join(', ')}.`);
  if (unchanged.length > 0) output.quote(`Already there: ${unchanged.join(', ')}.`);
  for (const { server, reason } of skipped) output.quote(`Left out ${server}: ${reason}.`);
  if (backup) output.print(`The file as it was: ${backup}`);
  if (added.length + replaced.length > 0 && !isDry) output.print('Next: agent-runtime servers check');
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RuntimeError(
      'not_found',
      `${file} cannot be read: ${messageOf(error)}`,
      'Name a file such as .mcp.json or claude_desktop_config.json.',
    );
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
