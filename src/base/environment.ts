import type { Environment } from './settings.js';

/** This process's environment without some variables. */
export function environmentWithout(names: readonly string[]): Environment {
  const environment: Record<string, string | undefined> = { ...process.env };
  for (const name of names) delete environment[name];
  return environment;
}

/**
 * Removes the secrets from this process's own environment, so that modules it loads and children do not see them.
 *
 * @param kept names of variables that a module of the user's was given by the config file
 */
export function hideSecrets({ secrets }: { secrets: readonly string[] }, kept: readonly string[] = []): void {
  for (const [name, value] of Object.entries(process.env))
    if (value && secrets.includes(value) && !kept.includes(name)) delete process.env[name];
}

/** Gives this process's own environment some variables in place of those that were lent before. */
export class LentVariables {
  readonly #before = new Map<string, string | undefined>();

  lend(variables: Readonly<Record<string, string>>): void {
    for (const [name, value] of this.#before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    this.#before.clear();
    for (const [name, value] of Object.entries(variables)) {
      this.#before.set(name, process.env[name]);
      process.env[name] = value;
    }
  }
}
