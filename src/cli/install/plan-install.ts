import { resolve } from 'node:path';
import type { Flags } from '../../base/settings.js';
import {
  type ClaudeScope,
  claudeAddLine,
  commandName,
  directLaunch,
  type Launch,
  npxLaunch,
  packageName,
  serverName,
  shellWord,
} from '../launch.js';
import type { Paint } from '../output.js';
import { type ClientApp, type ClientId, clientApps, type Place } from './clients.js';
import type { ServerEntry } from './merge-server.js';

/** How to connect one client. */
export interface InstallPlan {
  client: ClientId;
  app: ClientApp;
  file: string;
  /** The config entry that starts the server with npx. */
  entry: ServerEntry;
  /** The config entry with full paths, for clients that are started from a desktop. */
  directEntry: ServerEntry | undefined;
  /** The entry that `--write` adds. */
  written: ServerEntry;
  /** Shell commands and links that do the same. */
  lines: string[];
}

export interface InstallRequest {
  client: ClientId;
  place: Place;
  nodePath: string;
  mainPath: string;
  /** Environment variables to start the server with. */
  env: Record<string, string>;
  scope?: ClaudeScope | undefined;
}

export function planInstall({ client, place, nodePath, mainPath, env, scope }: InstallRequest): InstallPlan {
  const app = clientApps[client];
  const entryOf = ({ command, args }: Launch): ServerEntry => ({
    ...app.entry,
    command,
    args,
    ...(Object.keys(env).length > 0 ? { env } : {}),
  });
  const direct = app.isDesktopApp ? directLaunch(nodePath, mainPath) : undefined;
  const entry = entryOf(npxLaunch(place.platform));
  const directEntry = direct && entryOf(direct);
  return {
    client,
    app,
    file: app.configFile(place),
    entry,
    directEntry,
    written: directEntry ?? entry,
    lines: linesFor(client, place.platform, entry, env, scope),
  };
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

function linesFor(
  client: ClientId,
  platform: NodeJS.Platform,
  entry: ServerEntry,
  env: Record<string, string>,
  scope: ClaudeScope | undefined,
): string[] {
  switch (client) {
    case 'claude-code':
      return [claudeAddLine(platform, { scope: scope ?? 'user', env })];
    case 'claude-desktop':
      return [];
    case 'cursor': {
      const config = encodeURIComponent(Buffer.from(JSON.stringify(entry)).toString('base64'));
      return [`cursor://anysphere.cursor-deeplink/mcp/install?name=${serverName}&config=${config}`];
    }
    case 'vscode': {
      const { type: _, ...rest } = entry;
      return [`code --add-mcp ${shellWord(platform, JSON.stringify({ name: serverName, ...rest }))}`];
    }
  }
}

/** Run once, so that the client's first start does not have to download anything. */
const firstRun = `npx -y ${packageName} doctor`;

/** The steps to take, in their order. */
export function showPlan(plan: InstallPlan, scope: ClaudeScope | undefined, paint: Paint): string {
  const { app, file, entry, directEntry, lines, client } = plan;
  const json = (server: ServerEntry) => JSON.stringify({ [app.serversKey]: { [serverName]: server } }, null, 2);
  const line = lines.map((text) => `  ${text}`).join('\n');
  const parts = [paint('bold', `Connect ${app.title}`)];
  if (client === 'claude-code') parts.push(`Run:\n\n${line}`);
  if (client !== 'claude-code' || scope === undefined || scope === 'project') {
    const lead =
      client === 'claude-code' ? 'Or, for everyone who works in this project, put this into' : 'Put this into';
    parts.push(`${lead} ${file}\n(beside the servers that it already has):\n\n${json(entry)}`);
    if (directEntry) {
      parts.push(
        `${app.title} may not find npx, as it does not see your shell's PATH. With full paths:\n\n${json(directEntry)}`,
      );
    }
    parts.push(`To have it added for you, after a backup:\n\n  ${commandName} install --client ${client} --write`);
  }
  if (client === 'cursor') parts.push(`Or open this link:\n\n${line}`);
  if (client === 'vscode') parts.push(`Or, for all projects:\n\n${line}`);
  parts.push(`Then: ${app.afterwards}`);
  parts.push(`Run \`${firstRun}\` once first, so that the client's first start does not have to download anything.`);
  return parts.join('\n\n');
}
