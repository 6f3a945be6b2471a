import { InvalidArgumentError, Option } from 'commander';
import { RuntimeError } from '../base/errors.js';

/** What is on the board, or in this program, that a shell can complete a word from. */
export type Completed = 'goal' | 'task' | 'job' | 'tool' | 'server';

/** An option of a command: how commander declares it, and the type that its handler gets. */
export interface OptionOf<Value> {
  /** In commander's form, such as `-f, --follow` or `--limit <count>`. */
  flags: string;
  description: string;
  isRequired?: boolean;
  choices?: readonly string[];
  completes?: Completed;
  default?: unknown;
  /** Attribute of an option that cannot be given together with this one. */
  conflictsWith?: string | string[];
  /** Parses one text of the command line; `before` is the value of the same option given earlier. */
  parse?: (text: string, before: unknown) => unknown;
  /** Narrows what commander has stored, undefined if the option was not given. */
  read(stored: unknown): Value;
}

/** A positional argument of a command. */
export interface ArgumentOf<Value> {
  description: string;
  isRequired: boolean;
  /** The words that it usually is. The command itself checks them. */
  choices?: readonly string[];
  completes?: Completed;
  read(stored: unknown): Value;
}

/** The same argument or option, whose values a shell completes from what there is. */
export function completedBy<Declaration extends object>(kind: Completed, declaration: Declaration): Declaration {
  return { ...declaration, completes: kind };
}

/** The values of several declarations, by the same names. */
export type ValuesOf<Declarations> = {
  [Name in keyof Declarations]: Declarations[Name] extends { read(stored: unknown): infer Value } ? Value : never;
};

export function argument(description: string, choices: readonly string[] = []): ArgumentOf<string> {
  return { description, isRequired: true, choices, read: String };
}

export function optionalArgument(description: string): ArgumentOf<string | undefined> {
  return { description, isRequired: false, read: textOrUndefined };
}

/** A whole number from 1 on, such as the id of a goal. `read` throws `invalid` for any other text. */
export function numberArgument(description: string): ArgumentOf<number> {
  return {
    description,
    isRequired: true,
    read(stored) {
      const number = Number(stored);
      if (/^\d+$/.test(String(stored)) && number >= 1 && Number.isSafeInteger(number)) return number;
      throw new RuntimeError('invalid', `${JSON.stringify(stored)} is not a whole number from 1 on.`, 'Give an id.');
    },
  };
}

/** True if it was given; `--no-x` is true unless it was given. */
export function flag(
  flags: string,
  description: string,
  more: { conflictsWith?: string | string[] } = {},
): OptionOf<boolean> {
  return { flags, description, ...more, read: (stored) => stored === true };
}

export function text(flags: string, description: string): OptionOf<string | undefined> {
  return { flags, description, read: textOrUndefined };
}

export function requiredText(flags: string, description: string): OptionOf<string> {
  return { flags, description, isRequired: true, read: String };
}

export function textWithDefault(flags: string, description: string, value: string): OptionOf<string> {
  return { flags, description, default: value, read: String };
}

/** May be given several times. */
export function list(flags: string, description: string): OptionOf<string[]> {
  const isVariadic = flags.includes('...');
  return {
    flags,
    description,
    ...(isVariadic ? {} : { parse: (item, before) => [...toList(before), item] }),
    read: toList,
  };
}

export function choice<const Choice extends string>(
  flags: string,
  description: string,
  choices: readonly Choice[],
): OptionOf<Choice | undefined> {
  return { flags, description, choices, read: (stored) => choices.find((one) => one === stored) };
}

/** A whole number from 1 on; `value` unless it is given. */
export function count(flags: string, description: string): OptionOf<number | undefined>;
export function count(flags: string, description: string, value: number): OptionOf<number>;
export function count(flags: string, description: string, value?: number): OptionOf<number | undefined> {
  return {
    flags,
    description,
    parse(given) {
      const number = Number(given);
      if (/^\d+$/.test(given) && number >= 1 && number <= mostRows) return number;
      throw new InvalidArgumentError(`${JSON.stringify(given)} is not a whole number from 1 to ${mostRows}.`);
    },
    read: (stored) => (typeof stored === 'number' ? stored : value),
  };
}

const mostRows = 1_000_000_000;

/** A TCP port; 0 lets the system choose one. */
export function port(flags: string, description: string, { least }: { least: 0 | 1 }): OptionOf<number | undefined> {
  return {
    flags,
    description,
    parse(given) {
      const number = Number(given);
      if (/^\d+$/.test(given) && number >= least && number <= 65_535) return number;
      throw new InvalidArgumentError(
        `${JSON.stringify(given)} is not a port: give a whole number from ${least} to 65535.`,
      );
    },
    read: (stored) => (typeof stored === 'number' ? stored : undefined),
  };
}

export function toCommanderOption(declaration: OptionOf<unknown>): Option {
  const { flags, description, isRequired, choices, default: value, conflictsWith, parse } = declaration;
  const option = new Option(flags, description);
  if (isRequired) option.makeOptionMandatory();
  if (choices) option.choices(choices);
  if (value !== undefined) option.default(value);
  if (conflictsWith !== undefined) option.conflicts(conflictsWith);
  if (parse) option.argParser(parse);
  return option;
}

/** The values of the declared options among all that commander has stored. */
export function readOptions<Options extends Readonly<Record<string, OptionOf<unknown>>>>(
  options: Options | undefined,
  stored: Readonly<Record<string, unknown>>,
): ValuesOf<Options> {
  return readAll(options, ({ flags }) => stored[new Option(flags).attributeName()]) as ValuesOf<Options>;
}

/** The values of the declared arguments; commander stores them in their order. */
export function readArguments<Arguments extends Readonly<Record<string, ArgumentOf<unknown>>>>(
  declared: Arguments | undefined,
  stored: readonly unknown[],
): ValuesOf<Arguments> {
  return readAll(declared, (_, index) => stored[index]) as ValuesOf<Arguments>;
}

function readAll<Declaration extends { read(stored: unknown): unknown }>(
  declarations: Readonly<Record<string, Declaration>> | undefined,
  storedOf: (declaration: Declaration, index: number) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(declarations ?? {}).map(([name, declaration], index) => [
      name,
      declaration.read(storedOf(declaration, index)),
    ]),
  );
}

const ages: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of an age such as `30d`. Throws `invalid`. */
export function parseAge(given: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(given.trim()) ?? [];
  if (count !== undefined) return Number(count) * (ages[unit] ?? 0);
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(given)} is not an age.`,
    'Give a number with m, h, d or w, such as 30d.',
  );
}

function textOrUndefined(stored: unknown): string | undefined {
  return typeof stored === 'string' ? stored : undefined;
}

function toList(stored: unknown): string[] {
  return Array.isArray(stored) ? stored.map(String) : [];
}
