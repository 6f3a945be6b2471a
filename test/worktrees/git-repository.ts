import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir } from '../support/temp-dir.js';

/** Runs git in a directory, with nothing of the machine's own settings. */
export function git(cwd: string, ...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trimEnd();
}

/** A repository with a commit of these files on `main`. */
export function gitRepository(files: Record<string, string> = { 'a.txt': 'one\ntwo\nthree\n' }): string {
  const directory = join(tempDir(), 'shop');
  mkdirSync(directory);
  git(directory, 'init', '--quiet', '--initial-branch=main');
  commitFiles(directory, files, 'Begin');
  return directory;
}

/** Writes files, by their paths. */
export function writeFiles(directory: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

export function commitFiles(directory: string, files: Record<string, string>, message: string): string {
  writeFiles(directory, files);
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '-m', message);
  return git(directory, 'rev-parse', 'HEAD');
}
