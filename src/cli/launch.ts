import { fileURLToPath } from 'node:url';

/** The name that clients know the server by; it is part of every tool's name there. */
export const serverName = 'agent-runtime';

export const packageName = 'agent-runtime-mcp';

/** How a client starts the server. */
export interface Launch {
  command: string;
  args: string[];
}

/** By npm's package runner, which needs `npx` on the client's PATH; on Windows it is a script that only a shell starts. */
export function npxLaunch(platform: NodeJS.Platform): Launch {
  return platform === 'win32'
    ? { command: 'cmd', args: ['/c', 'npx', '-y', packageName] }
    : { command: 'npx', args: ['-y', packageName] };
}

/**
 * By full paths, for programs that are started from a desktop and so do not see the PATH of a shell.
 * Nothing when the program lies in npx's cache: no path there lasts.
 */
export function directLaunch(nodePath: string, mainPath: string): Launch | undefined {
  return isInNpxCache(mainPath) ? undefined : { command: nodePath, args: [mainPath] };
}

/** The cache is swept, and its paths change with every version. */
export function isInNpxCache(path: string): boolean {
  return /[/\\]_npx[/\\]/.test(path);
}

/** This package's entry as npm installed it; the bundle's parts lie side by side. */
export function mainEntry(): string {
  return fileURLToPath(new URL('./main.js', import.meta.url));
}

/** What a person types to get here again: run from npx's cache, the program is not on the PATH. */
export const commandName = isInNpxCache(import.meta.url) ? `npx -y ${packageName}` : 'agent-runtime';

/** How to connect each client, for the help. */
export function connectLines(platform: NodeJS.Platform): string {
  const entry = JSON.stringify({ mcpServers: { [serverName]: npxLaunch(platform) } });
  return `Connect a client:
  Claude Code     ${claudeAddLine(platform, { scope: 'user' })}
  Claude Desktop  ${commandName} install --client claude-desktop
  Cursor          ${commandName} install --client cursor
  VS Code         ${commandName} install --client vscode
  any other       ${entry}

First steps:
  ${commandName} doctor
  ${commandName} tool create_goal --arg name="First goal" --arg description="What is to be reached"
`;
}

export const claudeScopes = ['local', 'project', 'user'] as const;
export type ClaudeScope = (typeof claudeScopes)[number];

/**
 * The line that adds the server to Claude Code. The name stands before the options: `--env` takes every word up to the
 * next option, so with the name behind it the CLI takes that for a variable (seen in 2.1.328).
 */
export function claudeAddLine(
  platform: NodeJS.Platform,
  { scope, env = {} }: { scope: ClaudeScope; env?: Readonly<Record<string, string>> },
): string {
  const { command, args } = npxLaunch(platform);
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', shellWord(platform, `${name}=${value}`)]);
  return ['claude mcp add', serverName, '--scope', scope, ...variables, '--', command, ...args].join(' ');
}

/** A word as the platform's usual shell wants it, quoted only where that is needed. */
export function shellWord(platform: NodeJS.Platform, word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return platform === 'win32' ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`;
}
