import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { cut } from '../../base/text.js';

/** Levels of objects and lists in the arguments of one call. What people and models write has fewer than ten. */
const mostLevels = 64;

/**
 * Throws `invalid` for arguments nested so deep that nothing can check, quote or store them. It comes before everything
 * that goes through them by recursion.
 */
export function refuseDepth(tool: string, given: unknown): void {
  let level: unknown[] = [given];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) {
      throw new RuntimeError(
        'invalid',
        `The arguments of ${tool} are nested more than ${mostLevels} levels deep.`,
        `Nothing was done. Pass flatter JSON, or the deep part as one string, and call ${tool} again.`,
      );
    }
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

/** A string that may have at most this many characters is a name, a key or an id, and no free text. */
const longestName = 1_000;

/**
 * Throws `invalid` for a name with a NUL character or half of a surrogate pair: SQLite ends a length at the one and
 * stores another text for the other, so that two names would be one. Free text and free JSON may have both.
 */
export function refuseOddNames(tool: string, schema: z.ZodType, given: unknown): void {
  // Hardly any text is odd, and to look is a tenth of following the schema through the arguments.
  if (!holdsOddText(given)) return;
  const found = findOddName(schema, given, '');
  if (!found) return;
  const what = found.text.includes('\0') ? 'a NUL character' : 'half of a surrogate pair';
  throw new RuntimeError(
    'invalid',
    `${found.place} holds ${what} (got ${cut(JSON.stringify(found.text), 80)}).`,
    `Nothing was done. Leave that character out, and call ${tool} again.`,
  );
}

const oddCharacter = /[\0\p{Surrogate}]/u;

function holdsOddText(value: unknown): boolean {
  if (typeof value === 'string') return oddCharacter.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsOddText);
}

interface OddName {
  place: string;
  text: string;
}

function findOddName(schema: unknown, value: unknown, place: string): OddName | undefined {
  const forms = formsOf(schema);
  if (typeof value === 'string') {
    const isName = forms.some((form) => form instanceof z.ZodString && (form.maxLength ?? Infinity) <= longestName);
    return isName && oddCharacter.test(value) ? { place, text: value } : undefined;
  }
  if (Array.isArray(value)) {
    const items = forms.filter((form) => form instanceof z.ZodArray).map(({ element }) => element);
    return first(value.entries(), ([index, item]) =>
      first(items, (form) => findOddName(form, item, `${place}[${index}]`)),
    );
  }
  if (!isObject(value)) return undefined;
  const shapes = forms.filter((form) => form instanceof z.ZodObject).map(({ shape }) => shape);
  return first(Object.entries(value), ([name, field]) =>
    first(shapes, (shape) => findOddName(shape[name], field, place === '' ? name : `${place}.${name}`)),
  );
}

/** The schemas that a value may follow, without what only surrounds them. */
function formsOf(schema: unknown): unknown[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(formsOf);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return formsOf(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return formsOf(schema.in);
  return [schema];
}

function first<Item, Found>(items: Iterable<Item>, find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
