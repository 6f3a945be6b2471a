import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.js';
import type { CommandContext } from '../define-command.js';
import { directLaunch, mainEntry, packageName } from '../launch.js';
import { git } from './git.js';

/** By this line a hook is known to be ours. */
const mark = '# agent-runtime guard';

/** Writes the pre-commit hook of a repository. One that is there is kept, and runs first; ours is brought up to date. */
export function runGuardInstall(_: unknown, { output }: CommandContext): void {
  const { hook, kept } = places();
  const isOurs = existsSync(hook) && isGuard(hook);
  if (existsSync(hook) && !isOurs) {
    if (existsSync(kept)) {
      throw new RuntimeError(
        'conflict',
        `Both ${hook} and ${kept} are there, and neither is the guard's.`,
        `Look at them, move one away, and call this again.`,
      );
    }
    renameSync(hook, kept);
  }
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(hook, script(), { mode: 0o755 });
  output.print(`${hook} checks the staged files${existsSync(kept) ? `, after ${kept}` : ''}.`);
}

/** Takes the hook away again, and puts the one that was kept in its place. */
export function runGuardUninstall(_: unknown, { output }: CommandContext): void {
  const { hook, kept } = places();
  if (!existsSync(hook) || !isGuard(hook)) {
    output.print(`${hook} is not the guard's; nothing was changed.`);
    return;
  }
  if (existsSync(kept)) renameSync(kept, hook);
  else rmSync(hook);
  output.print(existsSync(hook) ? `${hook} is again as it was before.` : `${hook} is removed.`);
}

/** Where git looks for hooks; `core.hooksPath` may say another directory than usual. */
function places(): { hook: string; kept: string } {
  const hook = join(resolve(git('rev-parse', '--git-path', 'hooks').trimEnd()), 'pre-commit');
  return { hook, kept: `${hook}.before-guard` };
}

const isGuard = (hook: string): boolean => readFileSync(hook, 'utf8').includes(mark);

/** git runs it by a POSIX shell on every system. A program that is gone holds up no commit. */
function script(): string {
  const direct = directLaunch(process.execPath, mainEntry());
  const run = direct
    ? `if [ -x ${quoted(direct.command)} ] && [ -f ${quoted(direct.args[0] ?? '')} ]; then
  exec ${[direct.command, ...direct.args].map(quoted).join(' ')} guard check
fi
echo "agent-runtime guard: the program is gone, nothing was checked; npx -y ${packageName} guard install" >&2`
    : `exec npx -y ${packageName} guard check`;
  return `#!/bin/sh
${mark}: refuses to commit files that another session has reserved. \`agent-runtime guard uninstall\` removes it.
before="$0.before-guard"
if [ -x "$before" ]; then
  "$before" "$@" || exit $?
fi
${run}
`;
}

const quoted = (word: string): string => `'${word.replaceAll('\\', '/').replaceAll("'", "'\\''")}'`;
