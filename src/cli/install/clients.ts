import { posix, win32 } from 'node:path';
import type { Environment } from '../../base/settings.js';

/** Where a client's files are. Everything is passed in, so that any platform can be tested on any other. */
export interface Place {
  platform: NodeJS.Platform;
  home: string;
  env: Environment;
  /** The project's directory, for clients that have a config file in each project. */
  project: string;
}

export interface ClientApp {
  title: string;
  /** The file that names its MCP servers. */
  configFile(place: Place): string;
  /** A directory that exists once the client has run. */
  directory(place: Place): string;
  /** The key of the servers in that file. */
  serversKey: 'mcpServers' | 'servers';
  /** Further fields of an entry, beside command and args. */
  entry: Readonly<Record<string, string>>;
  /** Started from a desktop: it does not see the PATH of a shell, and its file is for this machine alone. */
  isDesktopApp: boolean;
  /** What the user does so that the client reads the file. */
  afterwards: string;
}

export const clientIds = ['claude-code', 'claude-desktop', 'cursor', 'vscode'] as const;
export type ClientId = (typeof clientIds)[number];

export const clientApps: Readonly<Record<ClientId, ClientApp>> = {
  'claude-code': {
    title: 'Claude Code',
    configFile: (place) => pathsOf(place).join(place.project, '.mcp.json'),
    directory: (place) => pathsOf(place).join(place.home, '.claude'),
    serversKey: 'mcpServers',
    entry: {},
    isDesktopApp: false,
    afterwards: 'Start `claude` in that directory and approve the server, or see /mcp.',
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    configFile: (place) => pathsOf(place).join(applicationData(place), 'Claude', 'claude_desktop_config.json'),
    directory: (place) => pathsOf(place).join(applicationData(place), 'Claude'),
    serversKey: 'mcpServers',
    entry: {},
    isDesktopApp: true,
    afterwards:
      'Quit Claude Desktop and start it again. Settings > Developer > Edit Config shows the file that it reads.',
  },
  cursor: {
    title: 'Cursor',
    configFile: (place) => pathsOf(place).join(place.home, '.cursor', 'mcp.json'),
    directory: (place) => pathsOf(place).join(place.home, '.cursor'),
    serversKey: 'mcpServers',
    entry: {},
    isDesktopApp: true,
    afterwards: 'Cursor > Settings > MCP shows the server; switch it on.',
  },
  vscode: {
    title: 'VS Code',
    configFile: (place) => pathsOf(place).join(place.project, '.vscode', 'mcp.json'),
    directory: (place) => pathsOf(place).join(applicationData(place), 'Code'),
    serversKey: 'servers',
    entry: { type: 'stdio' },
    // VS Code asks the login shell for its PATH, and the file is shared with the project.
    isDesktopApp: false,
    afterwards: 'Run "MCP: List Servers" in VS Code and start it.',
  },
};

function pathsOf({ platform }: Place) {
  return platform === 'win32' ? win32 : posix;
}

function applicationData(place: Place): string {
  const { platform, home, env } = place;
  const { join } = pathsOf(place);
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  if (platform === 'win32') return env.APPDATA || join(home, 'AppData', 'Roaming');
  return env.XDG_CONFIG_HOME || join(home, '.config');
}
