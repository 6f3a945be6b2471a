import { RuntimeError } from '../../base/errors.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import type { ClaudeScope } from '../launch.js';
import { commandName, mainEntry, serverName } from '../launch.js';
import type { ClientId } from './clients.js';
import { editFile } from './edit-file.js';
import { type Merged, mergeServer } from './merge-server.js';
import { type InstallPlan, planInstall, settingsFromFlags, showPlan } from './plan-install.js';

export interface InstallOptions {
  client: ClientId;
  /** Whether to edit the client's config file. */
  write: boolean;
  scope: ClaudeScope | undefined;
}

/** Shows how to connect a client, or does it. This works also when the runtime's own config file is broken. */
export function runInstall({ client, write, scope }: InstallOptions, context: CommandContext): void {
  const { flags, output } = context;
  if (scope !== undefined && client !== 'claude-code') {
    throw new RuntimeError(
      'invalid',
      `--scope is for claude-code; ${client} has one place for servers.`,
      'Leave it out.',
    );
  }
  const { config } = readConfigDespiteErrors(flags.settings);
  const { home, env } = config;
  const plan = planInstall({
    client,
    place: { platform: process.platform, home, env, project: config.project || process.cwd() },
    nodePath: process.execPath,
    mainPath: mainEntry(),
    env: settingsFromFlags(flags.settings),
    scope,
  });
  if (write) writePlan(plan, scope, context);
  else if (flags.isJson) output.printJson(planAsJson(plan));
  else output.print(showPlan(plan, scope, output.paint));
}

function writePlan(plan: InstallPlan, scope: ClaudeScope | undefined, { flags, output }: CommandContext): void {
  if (scope === 'local' || scope === 'user') {
    throw new RuntimeError(
      'invalid',
      `The ${scope} scope is stored in Claude Code's own state, which only Claude Code may edit.`,
      `Run: ${plan.lines.join(' ')}`,
    );
  }
  const { file, app, written: entry } = plan;
  const edit = (text: string): Merged =>
    mergeServer(text, { file, serversKey: app.serversKey, name: serverName, entry });
  const { outcome, backup } = editFile(file, edit, Date.now());
  if (flags.isJson) {
    const { client } = plan;
    output.printJson({
      client,
      file,
      status: outcome.status,
      ...(backup ? { backup } : {}),
      entry,
      next: app.afterwards,
    });
    return;
  }
  output.print(sentences[outcome.status](file));
  if (backup) output.print(`Backup: ${backup}`);
  if (outcome.status !== 'unchanged') output.print(app.afterwards);
}

const sentences: Readonly<Record<Merged['status'], (file: string) => string>> = {
  added: (file) => `Added ${serverName} to ${file}.`,
  updated: (file) => `Updated ${serverName} in ${file}.`,
  unchanged: (file) => `${serverName} is already in ${file}; nothing was changed.`,
};

function planAsJson({ client, app, file, entry, directEntry, lines }: InstallPlan) {
  const wrapped = (server: object) => ({ [app.serversKey]: { [serverName]: server } });
  return {
    client,
    file,
    config: wrapped(entry),
    ...(directEntry ? { config_with_full_paths: wrapped(directEntry) } : {}),
    ...(lines.length > 0 ? { or: lines } : {}),
    write: `${commandName} install --client ${client} --write`,
    next: app.afterwards,
  };
}
