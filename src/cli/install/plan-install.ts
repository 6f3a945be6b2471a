import { resolve } from 'node:path';
import type { Flags } from '../../base/config.js';
import { type ClientApp, type ClientId, clientApps, type Place } from './clients.js';
import { directLaunch, type Launch, npxLaunch, packageName, serverName } from './launch.js';
import type { ServerEntry } from './merge-server.js';
import { type ClaudeScope, claudeAddLine, shellWord } from './shell-lines.js';

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
