import { RuntimeError } from '../../../base/errors.js';

/** What was given for one argument: texts for itself, and for its fields by name (`model_params.max_tokens=100`). */
export interface Given {
  texts: string[];
  fields: Map<string, Given>;
}

/** Sorts `key=value` pairs into a tree by the dots in their keys. Throws `invalid` for a pair that is none. */
export function parsePairs(pairs: readonly string[]): Given {
  const root = nothingGiven();
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const path = pair.slice(0, Math.max(split, 0)).split('.');
    if (path.includes('')) throw malformed(pair);
    let node = root;
    for (const name of path) {
      const field = node.fields.get(name) ?? nothingGiven();
      node.fields.set(name, field);
      node = field;
    }
    node.texts.push(pair.slice(split + 1));
  }
  return root;
}

function nothingGiven(): Given {
  return { texts: [], fields: new Map() };
}

function malformed(pair: string): RuntimeError {
  const shown = pair.length > 80 ? `${pair.slice(0, 80)}...` : pair;
  return new RuntimeError(
    'invalid',
    `--arg ${JSON.stringify(shown)} is not a key=value pair.`,
    'Write --arg key=value.',
  );
}
