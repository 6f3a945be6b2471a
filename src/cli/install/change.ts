import { createTwoFilesPatch } from 'diff';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { CommandContext } from '../define-command.js';
import { type ClaudeScope, serverName } from '../launch.js';
import { addToClaude, isInState, removeFromClaude, type StateScope } from './claude-state.js';
import type { ClientId } from './clients.js';
import { clientOf } from './clients.js';
import type { ConnectedServer } from './connected.js';
import { editFile, previewEdit } from './edit-file.js';
import { loadFormat } from './formats/load-format.js';
import type { Machine } from './machine.js';
import { mergeServer, removeServer } from './merge-server.js';
import { type InstallPlan, mergeOf } from './plan-install.js';

/** What was done to one client, or would be done. */
export interface Change {
  client: ClientId;
  file: string;
  scope?: ClaudeScope;
  status: 'added' | 'updated' | 'unchanged' | 'removed';
  backup?: string;
  /** Instead of a change: the difference that it would make. */
  diff?: string;
  entry?: unknown;
  next?: string;
}

/** Adds the server to the client's file, or through `claude mcp` for the scopes that only Claude Code may change. */
export async function connect(plan: InstallPlan, machine: Machine, isDry: boolean): Promise<Change> {
  const { client, app, file, scope, written: entry } = plan;
  if (client === 'claude-code' && isInState(scope)) return connectClaude(plan, scope, machine, isDry);
  const merge = mergeOf(plan, await loadFormat(app.format));
  const change = changeFile(file, (text) => mergeServer(text, merge), isDry);
  return { client, ...change, entry, next: app.afterwards };
}

function connectClaude(plan: InstallPlan, scope: StateScope, { claude, place }: Machine, isDry: boolean): Change {
  const { client, entry } = plan;
  const [line = ''] = plan.lines;
  if (claude === undefined) {
    throw new RuntimeError(
      'invalid',
      `The ${scope} scope is stored in Claude Code's own state, which only \`claude\` may edit, and that is not on the PATH.`,
      `Run: ${line}`,
    );
  }
  const file = `Claude Code's ${scope} scope`;
  if (isDry) return { client, file, scope, status: 'added', diff: `$ ${line}\n` };
  const status = addToClaude(claude, { scope, entry, place });
  return { client, file, scope, status, entry, next: 'Start `claude`; /mcp shows the server.' };
}

/** Removes one entry that starts this program. */
export async function disconnect(
  client: ClientId,
  { name, file, scope }: ConnectedServer,
  { claude, place }: Machine,
  isDry: boolean,
): Promise<Change> {
  const app = clientOf(client);
  if (client === 'claude-code' && isInState(scope)) {
    const line = `claude mcp remove ${name} --scope ${scope}`;
    if (isDry) return { client, file, scope, status: 'removed', diff: `$ ${line}\n` };
    if (claude === undefined) {
      throw new RuntimeError('invalid', `Only \`claude\` may edit ${file}, and it is not on the PATH.`, `Run: ${line}`);
    }
    removeFromClaude(claude, { scope, name, place });
    return { client, file, scope, status: 'removed' };
  }
  const format = await loadFormat(app.format);
  const change = changeFile(
    file,
    (text) => removeServer(text, { file, format, serversPath: app.serversPath, name }),
    isDry,
  );
  return { client, scope, ...change };
}

function changeFile<Status extends Change['status']>(
  file: string,
  edit: (text: string) => { text: string; status: Status },
  isDry: boolean,
): { file: string; status: Status; backup?: string; diff?: string } {
  if (isDry) {
    const { outcome, before } = previewEdit(file, edit);
    return { file, status: outcome.status, diff: diffOf(file, before, outcome.text) };
  }
  const { outcome, backup } = editFile(file, edit, Date.now());
  return { file, status: outcome.status, ...(backup ? { backup } : {}) };
}

/** In the form of `diff -u`; empty if nothing changes. */
function diffOf(file: string, before: string, after: string): string {
  if (before === after) return '';
  return createTwoFilesPatch(before === '' ? '/dev/null' : file, file, before, after, undefined, undefined, {
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
}

/** Makes each change, also after one that fails, and prints them. The exit code is 1 if one failed. */
export async function makeChanges(
  changes: readonly { client: ClientId; make: () => Promise<Change> }[],
  { flags, output }: CommandContext,
): Promise<void> {
  const done: (Change | { client: ClientId; error: string })[] = [];
  for (const { client, make } of changes) {
    try {
      const change = await make();
      done.push(change);
      if (!flags.isJson) for (const line of linesOf(change)) output.quote(line);
    } catch (error) {
      if (changes.length === 1) throw error;
      done.push({ client, error: messageOf(error) });
      process.exitCode = 1;
      if (!flags.isJson) output.say(`error: ${messageOf(error)}`);
    }
  }
  if (flags.isJson) output.printJson(changes.length === 1 ? done[0] : { clients: done });
}

function linesOf({ client, file, status, backup, diff, next }: Change): string[] {
  const { title } = clientOf(client);
  const isUnchanged = status === 'unchanged';
  if (diff !== undefined) return [diff === '' || isUnchanged ? `${file}: nothing would change.` : diff.trimEnd()];
  const said = {
    added: `Added ${serverName} to ${file}.`,
    updated: `Updated ${serverName} in ${file}.`,
    unchanged: `${serverName} is already in ${file}; nothing was changed.`,
    removed: `Removed ${serverName} of ${title} from ${file}.`,
  };
  return [
    said[status],
    ...(backup ? [`Backup: ${backup}`] : []),
    ...(next !== undefined && !isUnchanged ? [next] : []),
  ];
}
