import { resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.js';
import type { Flags } from '../../base/settings.js';
import {
  type ClaudeScope,
  claudeAddLine,
  commandName,
  directLaunch,
  npxLaunch,
  packageName,
  serverName,
  shellWord,
} from '../launch.js';
import type { Paint } from '../output.js';
import { isInState } from './claude-state.js';
import { type ClientApp, configFileOf, defaultScopeOf, type Place } from './client-app.js';
import { type ClientId, clientOf } from './clients.js';
import type { ConfigFormat } from './formats/config-format.js';
import type { Fields, Merge } from './merge-server.js';

/** How to connect one client. */
export interface InstallPlan {
  client: ClientId;
  app: ClientApp;
  /** Who gets the server, as far as the caller has said. */
  scope: ClaudeScope | undefined;
  file: string;
  /** The config entry that starts the server with npx. */
  entry: Fields;
  /** The config entry with full paths, for clients that are started from a desktop. */
  directEntry: Fields | undefined;
  /** The entry that `--write` adds. */
  written: Fields;
  /** What the file needs beside the entry. */
  listItems: Merge['listItems'];
  /** Shell commands and links that do the same. */
  lines: string[];
  /** The command that adds the entry. */
  command: string;
}

export interface InstallRequest {
  client: ClientId;
  place: Place;
  nodePath: string;
  mainPath: string;
  /** Environment variables to start the server with. */
  env: Record<string, string>;
  /** Variables that the client passes on, or asks its user for. */
  passedEnv?: readonly string[];
  scope?: ClaudeScope | undefined;
}

/** Throws `invalid` for a scope that the client does not have, and for a variable that it cannot pass on. */
export function planInstall(request: InstallRequest): InstallPlan {
  const { client, place, nodePath, mainPath, passedEnv = [], scope } = request;
  const app = clientOf(client);
  const references = passedEnv.map((name) => [name, referenceIn(app, client, name)] as const);
  const env = {
    ...request.env,
    ...Object.fromEntries(references.filter((pair): pair is [string, string] => pair[1] !== undefined)),
  };
  const byName = references.filter(([, text]) => text === undefined).map(([name]) => name);
  const entryOf = (launch: { command: string; args: string[] }): Fields => ({
    ...app.entry({ ...launch, env, passedEnv: byName }),
    ...app.defaults,
  });
  const direct = app.isDesktopApp ? directLaunch(nodePath, mainPath) : undefined;
  const entry = entryOf(npxLaunch(place.platform));
  const directEntry = direct && entryOf(direct);
  const items = passedEnv.flatMap((name) => app.inputFor?.(name) ?? []);
  return {
    client,
    app,
    scope,
    file: fileFor(app, client, scope, place),
    entry,
    directEntry,
    written: directEntry ?? entry,
    listItems: items.length > 0 ? { path: ['inputs'], items } : undefined,
    lines: linesFor({ ...request, env }, entry),
    command: commandFor(request),
  };
}

/** What mergeServer needs. The defaults of a client are no part of an entry that is there already. */
export function mergeOf(plan: InstallPlan, format: ConfigFormat): Merge {
  const { app, file, written, listItems } = plan;
  const defaults = app.defaults ?? {};
  const entry = Object.fromEntries(Object.entries(written).filter(([name]) => !(name in defaults)));
  return {
    file,
    format,
    serversPath: app.serversPath,
    name: serverName,
    entry,
    defaults,
    ...(listItems ? { listItems } : {}),
  };
}

/** Throws `invalid` if the client has no file of that scope. */
export function fileFor(app: ClientApp, client: ClientId, scope: ClaudeScope | undefined, place: Place): string {
  // The file of Claude Code's own scopes is not edited; the plan names the one that is.
  const wanted = scope === undefined || (client === 'claude-code' && isInState(scope)) ? defaultScopeOf(app) : scope;
  const file = wanted === 'local' ? undefined : configFileOf(app, wanted, place);
  if (file !== undefined) return file;
  throw new RuntimeError(
    'invalid',
    `${app.title} has no ${wanted} scope.`,
    `Leave --scope out, or use: ${Object.keys(app.files).join(', ')}.`,
  );
}

function commandFor({ client, scope, env, passedEnv = [], place: { platform } }: InstallRequest): string {
  const variables = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...passedEnv];
  return [
    `${commandName} install --client ${client}`,
    ...(scope === undefined ? [] : [`--scope ${scope}`]),
    ...variables.map((variable) => `--env ${shellWord(platform, variable)}`),
    '--write',
  ].join(' ');
}

/** How the entry refers to the variable; undefined if the client passes it on by its name alone. */
function referenceIn(app: ClientApp, client: ClientId, name: string): string | undefined {
  if (app.passesEnvByName) return undefined;
  const reference = app.reference?.(name);
  if (reference !== undefined) return reference;
  throw new RuntimeError(
    'invalid',
    `${app.title} cannot pass ${name} on from its own environment.`,
    `Give the value (--env ${name}=...), or put it into a secrets file: ${commandName} install --client ${client} without it.`,
  );
}

/** Reads `NAME=value` and `NAME`. Throws `invalid` for a name that no variable has. */
export function readVariables(given: readonly string[]): { env: Record<string, string>; passedEnv: string[] } {
  const env: Record<string, string> = {};
  const passedEnv: string[] = [];
  for (const text of given) {
    const [, name, value] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(text) ?? [];
    if (name === undefined) {
      const shown = JSON.stringify(text.split('=', 1)[0]);
      throw new RuntimeError('invalid', `${shown} is not the name of a variable.`, 'Give NAME or NAME=value.');
    }
    if (value === undefined) passedEnv.push(name);
    else env[name] = value;
  }
  return { env, passedEnv };
}

/** The global options as environment variables of the server. Paths are made absolute: a client starts it elsewhere. */
export function settingsFromFlags({
  db,
  config,
  dataDir,
  logLevel,
  toolsets,
  readOnly,
}: Flags): Record<string, string> {
  return {
    ...(db === undefined ? {} : { AGENT_RUNTIME_DB_PATH: resolve(db) }),
    ...(config === undefined ? {} : { AGENT_RUNTIME_CONFIG: resolve(config) }),
    ...(dataDir === undefined ? {} : { AGENT_RUNTIME_DATA_DIR: resolve(dataDir) }),
    ...(logLevel === undefined ? {} : { AGENT_RUNTIME_LOG_LEVEL: logLevel }),
    ...(toolsets === undefined ? {} : { AGENT_RUNTIME_TOOLSETS: toolsets }),
    ...(readOnly ? { AGENT_RUNTIME_READ_ONLY: '1' } : {}),
  };
}

function linesFor({ client, place: { platform }, env, scope }: InstallRequest, entry: Fields): string[] {
  switch (client) {
    case 'claude-code':
      return [claudeAddLine(platform, { scope: scope ?? 'user', env })];
    case 'cursor': {
      const config = encodeURIComponent(Buffer.from(JSON.stringify(entry)).toString('base64'));
      return [`cursor://anysphere.cursor-deeplink/mcp/install?name=${serverName}&config=${config}`];
    }
    case 'vscode': {
      const { type: _, ...rest } = entry;
      return [`code --add-mcp ${shellWord(platform, JSON.stringify({ name: serverName, ...rest }))}`];
    }
    default:
      return [];
  }
}

/** Run once, so that the client's first start does not have to download anything. */
const firstRun = `npx -y ${packageName} doctor`;

/** The part of a config file that holds the entry, by names. */
export function wrapped({ app, listItems }: Pick<InstallPlan, 'app' | 'listItems'>, server: Fields): Fields {
  const servers = app.serversPath.reduceRight<Fields>((inner, name) => ({ [name]: inner }), { [serverName]: server });
  return listItems ? { ...servers, [listItems.path[0] ?? '']: listItems.items } : servers;
}

/** The steps to take, in their order. */
export function showPlan(plan: InstallPlan, format: ConfigFormat, paint: Paint): string {
  const { app, file, entry, directEntry, lines, client, scope } = plan;
  const text = (server: Fields) => format.print(wrapped(plan, server)).trimEnd();
  const line = lines.map((one) => `  ${one}`).join('\n');
  const parts = [paint('bold', `Connect ${app.title}`)];
  if (client === 'claude-code') parts.push(`Run:\n\n${line}`);
  if (client !== 'claude-code' || !isInState(scope)) {
    const lead =
      client === 'claude-code' ? 'Or, for everyone who works in this project, put this into' : 'Put this into';
    parts.push(`${lead} ${file}\n(beside the servers that it already has):\n\n${text(entry)}`);
    if (directEntry) {
      parts.push(
        `${app.title} may not find npx, as it does not see your shell's PATH. With full paths:\n\n${text(directEntry)}`,
      );
    }
  }
  parts.push(`To have it added for you, after a backup:\n\n  ${plan.command}`);
  if (client === 'cursor') parts.push(`Or open this link:\n\n${line}`);
  if (client === 'vscode') parts.push(`Or, for all projects:\n\n${line}`);
  parts.push(`Then: ${app.afterwards}`);
  parts.push(`Run \`${firstRun}\` once first, so that the client's first start does not have to download anything.`);
  return parts.join('\n\n');
}
