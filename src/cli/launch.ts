import { fileURLToPath } from 'node:url';

/** The name that clients know the server by; it is part of every tool's name there. */
export const serverName = 'agent-runtime';

export const packageName = 'agent-runtime-mcp';

/** The port of `agent-runtime dashboard`. */
export const dashboardPort = 3333;

/** The port of `serve --http`: that of the earlier task coordinator, whose clients name it in TASK_COORDINATOR_URL. */
export const httpPort = 3335;

/** How a client starts the server. */
export interface Launch {
  command: string;
  args: string[];
}

/** With npm's package runner. The client needs `npx` on its PATH; on Windows npx is a script that only a shell starts. */
export function npxLaunch(platform: NodeJS.Platform): Launch {
  return platform === 'win32'
    ? { command: 'cmd', args: ['/c', 'npx', '-y', packageName] }
    : { command: 'npx', args: ['-y', packageName] };
}

/**
 * With full paths, for clients that are started from a desktop and so do not see the PATH of a shell. Undefined if the
 * program is in npx's cache, where no path lasts.
 */
export function directLaunch(nodePath: string, mainPath: string): Launch | undefined {
  return isInNpxCache(mainPath) ? undefined : { command: nodePath, args: [mainPath] };
}

/** npx removes old entries of its cache, and the paths change with every version. */
export function isInNpxCache(path: string): boolean {
  return /[/\\]_npx[/\\]/.test(path);
}

/** The program's entry file, as npm installed it. All files of the bundle are in one directory. */
export function mainEntry(): string {
  return fileURLToPath(new URL('./main.js', import.meta.url));
}

/** What a person types to start this program. Run from npx's cache, it is not on the PATH. */
export const commandName = isInNpxCache(import.meta.url) ? `npx -y ${packageName}` : 'agent-runtime';

/** Text for the help: how to connect each client. */
export function connectLines(platform: NodeJS.Platform): string {
  const entry = JSON.stringify({ mcpServers: { [serverName]: npxLaunch(platform) } });
  return `Connect a client:
  Claude Code     ${claudeAddLine(platform, { scope: 'user' })}
  Claude Desktop  ${commandName} install --client claude-desktop
  Cursor          ${commandName} install --client cursor
  VS Code         ${commandName} install --client vscode
  24 clients      ${commandName} install
  any other       ${entry}

First steps:
  ${commandName} doctor
  ${commandName} tool create_goal --arg name="First goal" --arg description="What to achieve"
`;
}

export const claudeScopes = ['local', 'project', 'user'] as const;
export type ClaudeScope = (typeof claudeScopes)[number];

/**
 * The command that adds the server to Claude Code. The name comes before the options, because `--env` takes every word up
 * to the next option: a name after it would be taken as a variable (seen in 2.1.328).
 */
export function claudeAddLine(
  platform: NodeJS.Platform,
  { scope, env = {} }: { scope: ClaudeScope; env?: Readonly<Record<string, string>> },
): string {
  const { command, args } = npxLaunch(platform);
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', shellWord(platform, `${name}=${value}`)]);
  return ['claude mcp add', serverName, '--scope', scope, ...variables, '--', command, ...args].join(' ');
}

/** A word for the platform's usual shell, quoted only if it has to be. */
export function shellWord(platform: NodeJS.Platform, word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return platform === 'win32' ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`;
}
