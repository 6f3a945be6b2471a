import { Option } from 'commander';
import { commands } from '../commands.js';
import type { CommandSet, DefinedCommand } from '../define-command.js';
import { globalOptions } from '../global-flags.js';
import type { ArgumentOf, Completed, OptionOf } from '../options.js';
import type { Output } from '../output.js';
import { oneLine } from '../table.js';
import type { Candidate, TypedSettings } from './offered.js';

/** What a shell should offer: these words, those that are looked up, or names of files. */
export type Offer = readonly Candidate[] | { kind: Completed } | 'files';

/** Prints the candidates for the word under the cursor, one a line. It prints nothing rather than an error. */
export async function answerCompletion([current = '=', ...before]: readonly string[], output: Output): Promise<void> {
  const word = current.slice(1);
  const { offer, settings } = offerFor(word, before);
  if (offer === 'files') {
    output.print(':files');
    return;
  }
  const candidates = 'kind' in offer ? await lookUp(offer.kind, word, settings).catch(() => []) : offer;
  for (const { value, about } of candidates) {
    if (value.startsWith(word)) output.print(about === '' ? value : `${value}\t${oneLine(about)}`);
  }
}

/** Loaded for this alone, as it needs the database. */
async function lookUp(kind: Completed, word: string, settings: TypedSettings): Promise<readonly Candidate[]> {
  const { offered } = await import('./offered.js');
  return offered(kind, word, settings);
}

type Declared = DefinedCommand | CommandSet;

const all: readonly Declared[] = Object.values(commands).flat();

/** What can stand at the cursor, after the words before it. The program's own name is not among them. */
export function offerFor(word: string, before: readonly string[]): { offer: Offer; settings: TypedSettings } {
  let set: CommandSet | undefined;
  let command: DefinedCommand | undefined;
  let awaiting: OptionOf<unknown> | undefined;
  let positionals = 0;
  const settings: Record<string, string> = {};
  for (const given of before) {
    if (awaiting) {
      settings[nameOf(awaiting)] = given;
      awaiting = undefined;
    } else if (given.startsWith('-')) awaiting = valueOption(command, given);
    else if (command) positionals += 1;
    else {
      const found: Declared | undefined = (set?.commands ?? all).find(({ name }) => name === given);
      if (!found) return { offer: [], settings };
      if ('commands' in found) set = found;
      else command = found;
    }
  }
  if (awaiting) return { offer: offerOf(awaiting, awaiting.flags), settings };
  if (word.startsWith('-')) return { offer: optionsOf(command).flatMap(toCandidates), settings };
  if (!command)
    return {
      offer: (set?.commands ?? all).map(({ name, description }) => ({ value: name, about: description })),
      settings,
    };
  const [name, argument] = Object.entries(command.arguments)[positionals] ?? [];
  return { offer: argument === undefined ? [] : offerOf(argument, `<${name}>`), settings };
}

const optionsOf = (command: DefinedCommand | undefined): OptionOf<unknown>[] => [
  ...Object.values(command?.options ?? {}),
  ...Object.values(globalOptions),
];

/** The option that a word names, if the next word is its value. */
function valueOption(command: DefinedCommand | undefined, given: string): OptionOf<unknown> | undefined {
  if (given.includes('=')) return undefined;
  return optionsOf(command).find(({ flags }) => {
    const option = new Option(flags);
    return option.required && [option.short, option.long].includes(given);
  });
}

const nameOf = ({ flags }: OptionOf<unknown>): string => new Option(flags).attributeName();

function toCandidates({ flags, description }: OptionOf<unknown>): Candidate[] {
  const { long } = new Option(flags);
  return long ? [{ value: long, about: description }] : [];
}

function offerOf({ choices = [], completes }: OptionOf<unknown> | ArgumentOf<unknown>, placeholder: string): Offer {
  if (completes) return { kind: completes };
  if (choices.length > 0) return choices.map((value) => ({ value, about: '' }));
  return /<[^>]*(file|dir|path)[^>]*>/.test(placeholder) ? 'files' : [];
}
