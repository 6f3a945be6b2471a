import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { type ErrorCode, type ErrorReport, RuntimeError, reportError } from '../base/errors.js';
import { createRedactor } from '../base/redact.js';
import { nearest } from '../base/text.js';
import { forShell } from './for-shell.js';
import type { GlobalFlags } from './global-flags.js';
import { commandName } from './launch.js';
import { type Output, printable } from './output.js';

/** Exit codes: 0 success, 1 other failures, 2 wrong usage, 3 not found, 4 conflict with the work of others. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  invalid: 2,
  not_found: 3,
  conflict: 4,
  already_claimed: 4,
  stale_claim: 4,
  dependency_cycle: 4,
  budget_exhausted: 1,
  circuit_open: 1,
  not_configured: 1,
  unavailable: 1,
  rate_limited: 1,
  timeout: 1,
  cancelled: 1,
  internal: 1,
};

/** Whether commander threw only because it has printed the help or the version. */
export function isDone(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Prints whatever was thrown, and returns the exit code. The command line has no other mapping from errors to text. */
export async function reportFailure(
  error: unknown,
  { isJson, isVerbose }: GlobalFlags,
  output: Output,
): Promise<number> {
  const report = explain(error);
  if (report.hint !== undefined) report.hint = await hintForShell(report.hint);
  if (isJson) output.printJson({ error: report });
  else {
    output.say(`${output.paintAside('red', 'error:')} ${printable(report.message)}`);
    if (report.hint) output.say(`${output.paintAside('cyan', 'hint:')} ${printable(report.hint)}`);
  }
  if (isVerbose) output.say(withoutKeys(printable(inspect(error))));
  return exitCodes[report.code];
}

/** The tools are loaded for a hint that may name one. */
async function hintForShell(hint: string): Promise<string> {
  if (!/[a-z]_[a-z]/.test(hint)) return forShell(hint);
  const { toolsets } = await import('../tools/index.js');
  return forShell(
    hint,
    Object.values(toolsets).flatMap((tools) => tools.map(({ name }) => name)),
  );
}

const withoutKeys = createRedactor([]);

function explain(error: unknown): ErrorReport {
  if (error instanceof CommanderError) return explainUsage(error);
  if (error instanceof RuntimeError) return reportError(error);
  const { code, message } = reportError(error);
  return {
    code,
    message: withoutKeys(message),
    hint:
      'This is a bug in the runtime. Repeat with --verbose for the stack; background runners write to logs/runner.log ' +
      `in the data directory. \`${commandName} doctor\` shows the state.`,
  };
}

/** `error: unknown command 'doctr'\n(Did you mean doctor?)` */
function explainUsage({ code, message }: CommanderError): ErrorReport {
  const overview = `\`${commandName} --help\` lists the commands, \`${commandName} COMMAND --help\` prints what one takes.`;
  if (code === 'commander.help') return { code: 'invalid', message: 'There is no such command.', hint: overview };
  const [what = '', suggestion = ''] = message.replace(/^error: /, '').split('\n');
  return { code: 'invalid', message: what, hint: nearOnes(what, suggestion) ?? overview };
}

/** Commander also suggests words that share few letters with the wrong one: `logs` for `bogus`. */
function nearOnes(what: string, suggestion: string): string | undefined {
  const wrong = /'(.*)'/.exec(what)?.[1] ?? '';
  const suggested = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(suggestion)?.[1]?.split(', ') ?? [];
  const letters = (word: string): string => word.replace(/^-+/, '').replaceAll('-', '_');
  const near = suggested.filter((word) => nearest(letters(wrong), [letters(word)]).length > 0);
  return near.length === 0 ? undefined : `Did you mean ${near.join(' or ')}?`;
}
