import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { Environment } from '../../base/settings.js';
import type { Launch } from '../launch.js';
import type { Fields } from './merge-server.js';

/** Where a client's files are. Everything is passed in, so that any platform can be tested on any other. */
export interface Place {
  platform: NodeJS.Platform;
  home: string;
  env: Environment;
  /** The project's directory, for clients that have a config file in each project. */
  project: string;
}

/** Who gets a server: one project with all who work on it, or one user in all projects. */
export type FileScope = 'user' | 'project';

export type FormatName = 'json' | 'toml' | 'yaml';

/** What an entry starts, in the words of no client. */
export interface ServerStart extends Launch {
  /** Variables of the server with their values. */
  env: Readonly<Record<string, string>>;
  /** Names of variables that the server gets from the client's own environment, or from its user. */
  passedEnv: readonly string[];
}

/** A client that starts MCP servers: where it keeps them, and how. */
export interface ClientApp {
  title: string;
  /** Its files; the first scope is the one that `install` takes. Of several paths, the first that exists is the file. */
  files: Readonly<Partial<Record<FileScope, (at: Paths) => string | readonly string[]>>>;
  /** Directories or files, one of which is there once the client has run. */
  traces(at: Paths): readonly string[];
  format: FormatName;
  /** The names that lead to the servers in the file. */
  serversPath: readonly string[];
  /** An entry as the client writes it. */
  entry(start: ServerStart): Fields;
  /** Fields that a new entry starts with, and that are its user's from then on. */
  defaults?: Fields;
  /** How an entry refers to a variable of the client's environment; absent if it cannot. */
  reference?(name: string): string;
  /** The entry names the variables to pass on, rather than referring to them. */
  passesEnvByName?: boolean;
  /** The client asks its user for variables without a value, by these items of the list `inputs` in its file. */
  inputFor?(name: string): { id: string } & Fields;
  /** Started from a desktop: it does not see the PATH of a shell, and its file is for this machine alone. */
  isDesktopApp: boolean;
  /** What the user does so that the client reads the file. */
  afterwards: string;
}

/** The directories in which clients keep their files. */
export interface Paths {
  home(...parts: string[]): string;
  project(...parts: string[]): string;
  /** `~/Library/Application Support`, `%APPDATA%` or `~/.config`. */
  appData(...parts: string[]): string;
  /** `~/.config` on every platform but Windows. */
  config(...parts: string[]): string;
  /** The directory that a variable names, or else one in the home. */
  named(variable: string, inHome: string, ...parts: string[]): string;
}

export function pathsAt({ platform, home, env, project }: Place): Paths {
  const { join } = platform === 'win32' ? win32 : posix;
  const roaming = env.APPDATA || join(home, 'AppData', 'Roaming');
  const config = platform === 'win32' ? roaming : env.XDG_CONFIG_HOME || join(home, '.config');
  const appData = platform === 'darwin' ? join(home, 'Library', 'Application Support') : config;
  return {
    home: (...parts) => join(home, ...parts),
    project: (...parts) => join(project, ...parts),
    appData: (...parts) => join(appData, ...parts),
    config: (...parts) => join(config, ...parts),
    named: (variable, inHome, ...parts) => join(env[variable] || join(home, inHome), ...parts),
  };
}

/** The file of a scope; undefined if the client has none. */
export function configFileOf(app: ClientApp, scope: FileScope, place: Place): string | undefined {
  const found = app.files[scope]?.(pathsAt(place));
  if (found === undefined || typeof found === 'string') return found;
  return found.find((path) => existsSync(path)) ?? found[0];
}

/** The scope that a client's files begin with. */
export function defaultScopeOf(app: ClientApp): FileScope {
  const [first] = Object.keys(app.files);
  return first === 'project' ? 'project' : 'user';
}

/** Whether the client has run on this machine. */
export function isPresent(app: ClientApp, place: Place): boolean {
  return app.traces(pathsAt(place)).some((path) => existsSync(path));
}

/** The entry of most clients: `command`, `args`, and `env` if there are variables. */
export function standardEntry({ command, args, env }: ServerStart): Fields {
  return { command, args, ...(Object.keys(env).length > 0 ? { env } : {}) };
}
