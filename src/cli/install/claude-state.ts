import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { type ClaudeScope, serverName } from '../launch.js';
import type { Place } from './client-app.js';
import { type Fields, type Merged, mergeFields } from './merge-server.js';

/** The scopes that Claude Code keeps in its own state. It rewrites that file all the time, so only `claude` changes it. */
export type StateScope = 'local' | 'user';

export function isInState(scope: ClaudeScope | undefined): scope is StateScope {
  return scope === 'local' || scope === 'user';
}

interface ClaudeState {
  file: string;
  servers: Readonly<Record<StateScope, unknown>>;
}

/** The servers of Claude Code's user scope, and of its local scope for this project. */
export function readClaudeState({ env, home, project }: Place): ClaudeState {
  const file = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
  if (!existsSync(file)) return { file, servers: { user: undefined, local: undefined } };
  try {
    const state: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    const { mcpServers: user, projects } = isObject(state) ? state : {};
    const own = isObject(projects) ? projects[project] : undefined;
    return { file, servers: { user, local: isObject(own) ? own.mcpServers : undefined } };
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Adds the server through `claude mcp`, or brings it up to date there. What the user has added to the entry stays. */
export function addToClaude(
  claude: string,
  { scope, entry, place }: { scope: StateScope; entry: Fields; place: Place },
): Merged['status'] {
  const { servers } = readClaudeState(place);
  const found = servers[scope];
  const before = isObject(found) ? found[serverName] : undefined;
  if (!isObject(before)) {
    runClaude(claude, ['add-json', serverName, JSON.stringify(entry), '--scope', scope], place);
    return 'added';
  }
  const after = mergeFields(before, entry);
  if (isDeepStrictEqual(before, after)) return 'unchanged';
  removeFromClaude(claude, { scope, name: serverName, place });
  runClaude(claude, ['add-json', serverName, JSON.stringify(after), '--scope', scope], place);
  return 'updated';
}

export function removeFromClaude(
  claude: string,
  { scope, name, place }: { scope: StateScope; name: string; place: Place },
): void {
  runClaude(claude, ['remove', name, '--scope', scope], place);
}

/** In the project's directory, which the local scope is kept by. */
function runClaude(claude: string, args: readonly string[], { project, env, home }: Place): void {
  try {
    execFileSync(claude, ['mcp', ...args], {
      cwd: project,
      env: { ...env, HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new RuntimeError(
      'unavailable',
      `${claude} mcp ${args[0]} failed: ${stderr || messageOf(error)}`,
      'Run `claude mcp list` to see what it has.',
      { cause: error },
    );
  }
}
