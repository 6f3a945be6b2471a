import { commands } from '../../src/cli/commands.js';

/** The flags of a command line that the command does not declare. */
export function unknownFlags([name, ...words]: readonly string[]): string[] {
  const declared = Object.values(commands)
    .flat()
    .find((command) => command.name === name);
  if (!declared || !('options' in declared)) throw new Error(`There is no command ${name}.`);
  const flags = Object.values(declared.options ?? {}).map(({ flags }) => flags.split(' ')[0]);
  return words.filter((word) => word.startsWith('--') && !flags.includes(word));
}

/** How many seconds the command line of a worker gives its jobs. */
export const drainTimeout = (command: readonly string[]): number =>
  Number(command[command.indexOf('--drain-timeout') + 1]);
