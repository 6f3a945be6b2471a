import type { ModelParams } from '../core/ports.js';

/** A warning for each wish that `who` cannot be told; `names` are the ones it does not take. */
export function droppedParams(who: string, params: ModelParams, names: (keyof ModelParams)[]): string[] {
  return names
    .filter((name) => params[name] !== undefined)
    .map((name) => `${who} does not take ${name}, so it was left out.`);
}
