import { RuntimeError } from '../../base/errors.js';
import type { Json } from '../../base/json.js';
import { nearest } from '../../base/text.js';

/** A result in part. */
export interface BriefResult {
  result: Json;
  /** Size of each part that is not shown, by its name. */
  leftOut?: Record<string, string>;
}

/**
 * A result in at most about `most` characters of JSON: whole if it fits, else its figures first. Long parts are left out
 * and named, figures rounded to six digits.
 */
export function briefResult(result: Json, most: number): BriefResult {
  if (sizeOf(result) <= most) return { result };
  if (typeof result === 'string') return { result: result.slice(0, most), leftOut: { '': sizeText(result) } };
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    return { result: null, leftOut: { '': sizeText(result) } };
  }
  const parts = Object.entries(result);
  const shown = new Set<string>();
  let left = most - 2;
  for (const [name, value] of parts.toSorted(([, a], [, b]) => sizeOf(a) - sizeOf(b))) {
    left -= sizeOf(value) + name.length + 4;
    if (left < 0) break;
    shown.add(name);
  }
  const isShown = ([name]: [string, Json]) => shown.has(name);
  const hidden = parts.filter((entry) => !isShown(entry)).map(([name, value]) => [name, sizeText(value)]);
  return {
    result: Object.fromEntries(parts.filter(isShown).map(([name, value]) => [name, rounded(value)])),
    leftOut: Object.fromEntries(hidden),
  };
}

/** The parts of a result with these names, such as `test.per_class`. Throws `invalid` for one that it does not have. */
export function partsOf(result: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, partOf(result, name)]));
}

function partOf(result: Json, name: string): Json {
  let part: Json | undefined = result;
  for (const step of name.split('.')) {
    const within: Json | undefined = part;
    const isKnown: boolean = typeof within === 'object' && within !== null && Object.hasOwn(within, step);
    part = isKnown ? (within as Record<string, Json>)[step] : undefined;
    if (part !== undefined) continue;
    const known = typeof within === 'object' && within !== null ? Object.keys(within).slice(0, 50) : [];
    const near = nearest(step, known);
    const meant = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
    throw new RuntimeError(
      'invalid',
      `The result has no field ${JSON.stringify(name)}.${meant}`,
      known.length > 0 ? `There are ${known.join(', ')}.` : 'Leave fields out to see what there is.',
    );
  }
  return part;
}

const sizeOf = (value: Json): number => JSON.stringify(value).length;

function sizeText(value: Json): string {
  const size = `${sizeOf(value)} characters`;
  if (Array.isArray(value)) return `${value.length} items, ${size}`;
  return typeof value === 'object' && value !== null ? `${Object.keys(value).length} fields, ${size}` : size;
}

function rounded(value: Json): Json {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(6));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(inner)]));
}
