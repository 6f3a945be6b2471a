import { isObject, type JsonObject } from '../base/json.js';

/** What of a tool says what it does. */
export interface Searchable {
  name: string;
  description: string;
  inputSchema: JsonObject;
}

/** A word of the name says more than one of the description, and that more than one of a parameter. */
const weights = { name: 3, description: 1.5, parameters: 0.5 } as const;

/** Words that stand in every description or none, and say nothing of a tool. */
const commonWords = new Set(
  'a an and are as at be by can do does for from how i in into is it its me my of on or that the their them this to tool tools use used want what when which will with you your'.split(
    ' ',
  ),
);

/**
 * The tools that have any word of the query in their name, description or parameters, the best match first (Robertson and
 * others, "Okapi at TREC-3", BM25): a rare word counts for more than one that many tools have. All of them, in their own
 * order, if the query has no word that says anything.
 */
export async function rankTools<Tool extends Searchable>(tools: readonly Tool[], query: string): Promise<Tool[]> {
  const words = wordsOf(query).filter((word) => stem(word) !== undefined);
  if (words.length === 0) return [...tools];
  // Loaded with the first search: most sessions make none.
  const { default: MiniSearch } = await import('minisearch');
  const index = new MiniSearch({
    fields: Object.keys(weights),
    tokenize: wordsOf,
    processTerm: (word) => stem(word) ?? null,
    searchOptions: {
      boost: weights,
      // Half a word, and a longer one that is misspelt, are found too, for less.
      prefix: (word) => word.length > 2,
      fuzzy: (word) => (word.length > 5 ? 0.2 : false),
    },
  });
  index.addAll(
    tools.map(({ name, description, inputSchema }, id) => ({
      id,
      name,
      description,
      parameters: parametersOf(inputSchema).join(' '),
    })),
  );
  // Who has most of the words goes before who has one of them often.
  const found = index.search(words.join(' ')).map(({ id, score, queryTerms }) => ({
    tool: tools[id],
    score: score * queryTerms.length,
  }));
  return found.sort((one, other) => other.score - one.score).flatMap(({ tool }) => tool ?? []);
}

/** `read_graph` and `readGraph` are two words each. */
function wordsOf(text: string): string[] {
  return text
    .replaceAll(/(\p{Ll}|\p{N})(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/** A word without its ending, so that "entities" is found as "entity"; undefined for one that says nothing. */
function stem(word: string): string | undefined {
  if (commonWords.has(word)) return undefined;
  if (word.length < 5) return word.replace(/(?<=\w\w[^s])s$/, '');
  return word
    .replace(/ies$/, 'y')
    .replace(/(?<=[^s])s$/, '')
    .replace(/(?<=\w{3})(ing|ed)$/, '');
}

const deepest = 6;

/** The names and descriptions of all that a schema takes. */
function parametersOf(schema: unknown, depth = 0): string[] {
  if (!isObject(schema) || depth > deepest) return [];
  const own = typeof schema.description === 'string' && depth > 0 ? [schema.description] : [];
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  return [
    ...own,
    ...properties.flatMap(([name, property]) => [name, ...parametersOf(property, depth + 1)]),
    ...parametersOf(schema.items, depth + 1),
  ];
}
