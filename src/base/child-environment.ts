import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Environment } from './settings.js';

/** What any program needs to run as its user would run it: what the MCP SDK's clients pass, and how to reach the network. */
export const basicVariables: readonly string[] = [
  ...['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'NODE_EXTRA_CA_CERTS'],
  // Windows
  ...['APPDATA', 'COMSPEC', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'PATHEXT', 'PROCESSOR_ARCHITECTURE'],
  ...['PROGRAMDATA', 'PROGRAMFILES', 'SYSTEMDRIVE', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERNAME', 'USERPROFILE'],
];

/** The same with the user's own certificates and configuration, for runners and the programs that jobs run. */
export const ordinaryVariables: readonly string[] = [
  ...basicVariables,
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'XDG_CONFIG_HOME'],
  // Where the user's own agent CLI keeps its login, if it is not in the home.
  'CLAUDE_CONFIG_DIR',
];

/**
 * The variable that marks every process that a runner starts, whatever process groups and sessions they make: a child
 * inherits its parent's environment unless someone chose otherwise.
 */
export const runnerMark = 'AGENT_RUNTIME_RUNNER';

/** The named variables of an environment, without those that are unset or empty. */
export function pickVariables(env: Environment, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value) picked[name] = value;
  }
  return picked;
}

/** The full path of a command, as a shell would find it; undefined when it is not there. Starts no process. */
export function findCommand(command: string, env: Environment): string | undefined {
  const directories = isAbsolute(command)
    ? ['']
    : (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const endings = process.platform === 'win32' ? (env.PATHEXT ?? '.EXE;.CMD').split(';') : [''];
  for (const directory of directories) {
    for (const ending of endings) {
      const path = join(directory, command + ending);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next directory may have it.
      }
    }
  }
  return undefined;
}
