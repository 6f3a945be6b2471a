import { join } from 'node:path';
import { messageOf } from '../../base/errors.js';
import { livePaths, type PathWithWorker, whoHas } from '../../core/coordination/path-guard.js';
import { clockValues } from '../../core/lease.js';
import { peek } from '../../store/peek.js';
import type { CommandContext } from '../define-command.js';
import { printable } from '../output.js';
import { readSettings } from '../read-settings.js';
import { describeTaken } from './describe-taken.js';
import { git } from './git.js';

/**
 * Checks the staged files of the work tree that this is called in: exit code 1 if another session has reserved one of
 * them, as a pre-commit hook says that there is to be no commit. What cannot be checked is let pass, with a word.
 */
export async function runGuardCheck(_: unknown, { flags, output }: CommandContext): Promise<void> {
  const say = (text: string) => output.say(printable(text));
  try {
    const config = readSettings(flags.settings);
    if (config.guard === 'off') return;
    const rows = await peek<PathWithWorker>(config, livePaths, clockValues);
    const root = git('rev-parse', '--show-toplevel').trimEnd();
    const { clientSessionId, env } = config;
    const holder = clientSessionId ? `claude:${clientSessionId}` : env.AGENT_RUNTIME_SESSION;
    const staged = git('diff', '--cached', '--name-only', '--no-renames', '-z').split('\0').filter(Boolean);
    const taken = staged.flatMap((file) => {
      const row = whoHas(rows, join(root, file), holder);
      return row ? [{ file, row }] : [];
    });
    for (const { file, row } of taken) say(`agent-runtime guard: ${describeTaken(file, row)}`);
    if (taken.length === 0 || config.guard === 'warn') return;
    say(
      'Nothing was committed. If they are yours, set AGENT_RUNTIME_SESSION to the name of your session. git commit --no-verify commits all the same.',
    );
    process.exitCode = 1;
  } catch (error) {
    say(`agent-runtime guard: nothing was checked: ${messageOf(error)}`);
  }
}
