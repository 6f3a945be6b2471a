import { resolve } from 'node:path';
import type { Flags } from '../../base/config.js';
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

/** All that there is to say about connecting one client. */
export interface InstallPlan {
  client: ClientId;
  app: ClientApp;
  file: string;
  /** The entry by npx. */
  entry: ServerEntry;
  /** The entry by full paths; only for programs that are started from a desktop. */
  directEntry: ServerEntry | undefined;
  /** Of the two the one that `--write` puts in. */
  written: ServerEntry;
  /** Lines for a shell, and links, that do the same. */
  lines: string[];
}

export interface InstallNeeds {
  client: ClientId;
  place: Place;
  nodePath: string;
  mainPath: string;
  /** Settings that the server is to be started with. */
  env: Record<string, string>;
  scope?: ClaudeScope | undefined;
}

export function planInstall({ client, place, nodePath, mainPath, env, scope }: InstallNeeds): InstallPlan {
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

/** Settings given as flags are meant for the server; a client starts it elsewhere, so paths are made absolute. */
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

/** What a person runs once, so that the client's first start does not have to download anything. */
export const firstRun = `npx -y ${packageName} doctor`;

/** What to do, in the order in which to do it. */
export function showPlan(plan: InstallPlan, scope: ClaudeScope | undefined, paint: Paint): string {
  const { app, file, entry, directEntry, lines, client } = plan;
  const json = (server: ServerEntry) => JSON.stringify({ [app.serversKey]: { [serverName]: server } }, null, 2);
  const line = lines.map((text) => `  ${text}`).join('\n');
  const parts = [paint('bold', `Connect ${app.title}`)];
  if (client === 'claude-code') parts.push(`Run:\n\n${line}`);
  if (client !== 'claude-code' || scope === undefined || scope === 'project') {
    const lead =
      client === 'claude-code' ? 'Or, for everyone who works in this project, put this into' : 'Put this into';
    parts.push(`${lead} ${file}\n(beside the servers that are there already):\n\n${json(entry)}`);
    if (directEntry) {
      parts.push(
        `${app.title} may not find npx, as it does not see your shell's PATH. With full paths:\n\n${json(directEntry)}`,
      );
    }
    parts.push(`To have it put in for you, after a backup:\n\n  ${commandName} install --client ${client} --write`);
  }
  if (client === 'cursor') parts.push(`Or open this link:\n\n${line}`);
  if (client === 'vscode') parts.push(`Or, for all projects:\n\n${line}`);
  parts.push(`Then: ${app.afterwards}`);
  parts.push(`Run \`${firstRun}\` once before, so that the client's first start has nothing left to download.`);
  return parts.join('\n\n');
}
