import { npxLaunch, serverName } from './launch.js';

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
