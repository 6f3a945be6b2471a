import { z } from 'zod';
import type { AllowedCommand } from '../../base/config.js';
import { DeadlinePassed, withDeadline } from '../../base/deadline.js';

export type Commands = ReadonlyMap<string, AllowedCommand>;

/** The capability that a runner must have to run a command, because other sessions may allow other commands. */
export const commandCapability = (name: string): string => `command:${name}`;

/** The payload schema of command jobs, for the commands that the config file allows. */
export function commandPayload(commands: Commands) {
  return shapeFor([...commands.keys()]).superRefine(({ command, args }, context) => {
    for (const [index, arg] of args.entries()) {
      const problem = refusalOf(arg, commands.get(command));
      if (problem) context.addIssue({ code: 'custom', path: ['args', index], message: problem });
      // One wait is enough.
      if (problem === tooSlow) break;
    }
  });
}

export type CommandPayload = z.output<ReturnType<typeof commandPayload>>;

function shapeFor(names: readonly string[]) {
  // An enum of no commands would reject every name; the agent explains better that none is allowed.
  const name = names.length === 0 ? z.string().min(1) : z.enum(names, { error: () => unknownName(names) });
  return z.strictObject({
    command: name.describe('Name of the command in the config file.'),
    args: z
      .array(z.string().max(10_000).refine(hasNoNull, 'An argument cannot hold a null character.'))
      .max(256)
      .default([])
      .describe('Arguments after those that the config file fixes, if it allows any.'),
    input: z.string().max(10_000_000).default('').describe('Text for its stdin.'),
  });
}

const unknownName = (names: readonly string[]) =>
  `The config file allows no such command. It allows: ${names.join(', ')}.`;

const hasNoNull = (text: string): boolean => !text.includes('\0');

function refusalOf(arg: string, command: AllowedCommand | undefined): string | undefined {
  const allowed = command?.allowArgs ?? false;
  if (allowed === true) return undefined;
  if (allowed === false) return 'The config file allows this command no arguments (allowArgs).';
  const isAllowed = matchesOne(arg, allowed);
  if (isAllowed === undefined) {
    return tooSlow;
  }
  return isAllowed ? undefined : `The config file allows only arguments that match ${allowed.join(' or ')}.`;
}

/** All patterns over one argument of 10,000 characters; those without nested repetition take less than 1 ms. */
const deadlineMs = 250;

const tooSlow = `The patterns that the config file allows (allowArgs) take longer than ${deadlineMs} ms for this argument.`;

/** Undefined for an argument over which a pattern runs too long. */
function matchesOne(arg: string, patterns: readonly string[]): boolean | undefined {
  try {
    return withDeadline(deadlineMs, () => patterns.some((pattern) => new RegExp(`^(?:${pattern})$`).test(arg)));
  } catch (error) {
    if (error instanceof DeadlinePassed) return undefined;
    throw error;
  }
}
