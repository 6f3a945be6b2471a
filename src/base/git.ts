import { devNull } from 'node:os';
import { ordinaryVariables, pickVariables } from './child-environment.js';
import { type ChildEnd, runChild } from './child-process.js';
import { RuntimeError } from './errors.js';
import { systemCode } from './network-error.js';
import type { Environment } from './settings.js';

/** How a command of git ended. */
export interface GitEnd {
  exitCode: number | null;
  stdout: string;
  /** stdout was longer than it may be. */
  isCut: boolean;
  stderr: string;
}

export interface GitOptions {
  /** Where it runs; it must exist. */
  cwd: string;
  /** Another index than that of the worktree, as an absolute path. */
  indexFile?: string | undefined;
  /** Milliseconds; 60,000 unless given. */
  timeoutMs?: number | undefined;
  /** Bytes of stdout that are kept; 4,000,000 unless given. */
  mostOutput?: number | undefined;
}

export interface Git {
  /** Runs git and resolves however it ends. Throws `not_configured` without git, and `timeout`. */
  try(args: readonly string[], options: GitOptions): Promise<GitEnd>;
  /** The same; resolves to stdout without its last line end. Throws `unavailable` with git's own words when it fails. */
  run(args: readonly string[], options: GitOptions): Promise<string>;
}

/** What git needs to find its configuration, its credentials and the programs of its filters. No `GIT_*` among them. */
const passedOn = [...ordinaryVariables, 'SSH_AUTH_SOCK', 'GNUPGHOME'];

/**
 * Hooks are programs of the repository's, for commands that people call; a monitor of the file system would outlive the
 * call. Without a terminal a signature could ask for its password in vain.
 */
const ownSettings = [
  ...['-c', `core.hooksPath=${devNull}`],
  ...['-c', 'core.fsmonitor=false'],
  ...['-c', 'submodule.recurse=false'],
  ...['-c', 'commit.gpgSign=false'],
  ...['-c', 'core.quotePath=false'],
];

/** Calls the user's own git, always with arguments of its own and never through a shell. */
export function createGit(env: Environment): Git {
  const variables = { ...pickVariables(env, passedOn), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };

  async function call(args: readonly string[], options: GitOptions): Promise<GitEnd> {
    const { cwd, indexFile, timeoutMs = 60_000, mostOutput = 4_000_000 } = options;
    const end = await start({
      command: 'git',
      args: [...ownSettings, ...args],
      env: indexFile === undefined ? variables : { ...variables, GIT_INDEX_FILE: indexFile },
      cwd,
      input: '',
      signal: neverAborted,
      timeoutMs,
      graceMs: 5_000,
      stdoutLimit: mostOutput,
      endsWhenCut: true,
    });
    if (end.reason !== 'timeout') return end;
    throw new RuntimeError(
      'timeout',
      `git ${args[0]} in ${cwd} took longer than ${timeoutMs / 1000} s and was ended.`,
      'Try again when the machine and its disk have less to do.',
    );
  }

  return {
    try: call,
    async run(args, options) {
      const end = await call(args, options);
      if (end.exitCode !== 0) throw gitFailed(args, end);
      return end.stdout.replace(/\n$/, '');
    },
  };
}

const neverAborted = new AbortController().signal;

async function start(child: Parameters<typeof runChild>[0]): Promise<ChildEnd> {
  try {
    return await runChild(child);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new RuntimeError(
      'not_configured',
      'There is no git on the PATH of this process, or its directory is gone.',
      'Install git, and start this server again.',
      { cause: error },
    );
  }
}

/** The `unavailable` error of a command that failed. */
export function gitFailed(args: readonly string[], end: GitEnd): RuntimeError {
  const command = args.filter((word) => !word.startsWith('-')).slice(0, 2);
  return new RuntimeError('unavailable', `git ${command.join(' ')} failed: ${gitWords(end)}`);
}

/** What git says of its failure, in one line. */
export function gitWords({ stderr, exitCode }: GitEnd): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('hint:'));
  const words = lines.map((line) => line.replace(/^(fatal|error): /, '').trim()).join(' ');
  return words === '' ? `exit ${exitCode}` : words.slice(0, 500);
}
