import { z } from 'zod';
import { isObject } from '../../base/json.js';
import { cutToMost, endsOfDays, otherNames, otherWords, vagueNames } from './other-names.js';

/** Words that a text is known to have among others, such as the names of agents: read in any case. */
export const knownWords = z.registry<{ words: readonly string[] }>();

type Schema = z.core.$ZodType;

/** Told in plain words of what was read as something else than it says, where that could matter. */
export type Note = (text: string) => void;

/**
 * Arguments that a schema refuses, read as they are meant wherever that is clear: "8" for 8, JSON given as text, one
 * value for a list of one, other names and words (`other-names.ts`), a date for a time, more than there may be of what
 * is cut anyway, null for what is left out. What is not clear stays as it is, for the schema to refuse.
 */
export function readLoosely(schema: Schema, value: unknown, place: string, note: Note): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return readLoosely(def.innerType, value, place, note);
    case 'nullable':
      return value === null ? null : readLoosely(def.innerType, value, place, note);
    case 'object':
      return readFields(def, fromJsonText(value, '{'), place, note);
    case 'array':
      return readItems(def.element, fromJsonText(value, '['), place, note);
    case 'record':
      return fromJsonText(value, '{');
    case 'union':
      return readBranch(def.options, value, place, note);
    case 'enum':
      return readWord(Object.values(def.entries), value);
    case 'literal':
      return readWord(def.values, value);
    case 'number':
      return readNumber(schema, value, place, note);
    case 'boolean':
      return readBoolean(value);
    case 'string':
      return readText(schema, def, value, place, note);
    default:
      return value;
  }
}

const isAccepted = (schema: Schema, value: unknown): boolean => z.safeParse(schema, value).success;

/** JSON that stands in a text, where the schema takes no text. */
function fromJsonText(value: unknown, opening: '{' | '['): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith(opening)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function readFields({ shape, catchall }: z.core.$ZodObjectDef, given: unknown, place: string, note: Note): unknown {
  if (!isObject(given)) return given;
  const isStrict = catchall?._zod.def.type === 'never';
  // In an object where null removes a value, a null elsewhere could be meant so too.
  const isNullLeftOut = !Object.values(shape).some((field) => isNullable(field));
  const entries = isStrict ? renamed(given, shape) : Object.entries(given);
  return Object.fromEntries(
    entries.flatMap(([name, value]): [string, unknown][] => {
      const field = ownField(shape, name);
      if (!field) return [[name, value]];
      if (value === null && isNullLeftOut && !isRequired(field)) return [];
      return [[name, readLoosely(field, value, place === '' ? name : `${place}.${name}`, note)]];
    }),
  );
}

type Shape = Readonly<Record<string, Schema>>;

const ownField = (shape: Shape, name: string): Schema | undefined =>
  Object.hasOwn(shape, name) ? shape[name] : undefined;

const isRequired = (field: Schema): boolean => field._zod.optin === undefined;

function isNullable(field: Schema): boolean {
  const { def } = (field as z.core.$ZodTypes)._zod;
  if (def.type === 'nullable') return true;
  return (def.type === 'optional' || def.type === 'default') && isNullable(def.innerType);
}

/** The entries of an object with their names as the schema has them, where one argument alone can be meant. */
function renamed(given: Record<string, unknown>, shape: Shape): [string, unknown][] {
  const taken = new Set(Object.keys(given).filter((name) => Object.hasOwn(shape, name)));
  return Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
    if (taken.has(name)) return [[name, value]];
    const meant = meantBy(name, shape);
    if (meant === undefined) return [[name, value]];
    // Under both its names, with one value: no harm is done.
    if (taken.has(meant)) return JSON.stringify(given[meant]) === JSON.stringify(value) ? [] : [[name, value]];
    taken.add(meant);
    return [[meant, value]];
  });
}

/** The argument that goes by another name, if it is one alone; required ones come first. */
function meantBy(name: string, shape: Shape): string | undefined {
  const meant = namesFor(name, shape);
  const required = meant.filter((known) => isRequired(shape[known] as Schema));
  const isVague = vagueNames.has(letters(name));
  const isOwn = (known: string) => known === 'key' || letters(known) === letters(name);
  const candidates = required.length > 0 ? required : meant.filter((known) => !isVague || isOwn(known));
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** The arguments that a name may stand for. */
export function namesFor(name: string, shape: Shape): string[] {
  const word = letters(name);
  const same = Object.keys(shape).filter((known) => letters(known) === word);
  return same.length > 0 ? same : Object.keys(shape).filter((known) => otherNames[known]?.includes(word));
}

/** `In Progress`, `in-progress` and `inProgress` have the same letters. */
export const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

function readItems(item: Schema, value: unknown, place: string, note: Note): unknown {
  if (value === undefined || value === null) return value;
  const items = Array.isArray(value) ? value : numbersIn(value);
  const read = items.map((each, index) => readLoosely(item, each, `${place}[${index}]`, note));
  return Array.isArray(value) || read.every((each) => isAccepted(item, each)) ? read : value;
}

/** `1, 2`, which can be no name; or the one value. */
function numbersIn(value: unknown): unknown[] {
  return typeof value === 'string' && /^\s*\d+(\s*,\s*\d+)+\s*$/.test(value) ? value.split(',').map(Number) : [value];
}

function readBranch(options: readonly Schema[], value: unknown, place: string, note: Note): unknown {
  if (options.some((option) => isAccepted(option, value))) return value;
  for (const option of options) {
    const notes: string[] = [];
    const read = readLoosely(option, value, place, (text) => notes.push(text));
    if (!isAccepted(option, read)) continue;
    for (const text of notes) note(text);
    return read;
  }
  return value;
}

function readWord(words: readonly unknown[], value: unknown): unknown {
  if (words.includes(value)) return value;
  if (!['string', 'number', 'boolean'].includes(typeof value)) return value;
  const given = letters(String(value));
  const same = words.filter((word) => letters(String(word)) === given);
  const meant = same.length > 0 ? same : words.filter((word) => otherWords[String(word)]?.includes(given));
  return meant.length === 1 ? meant[0] : value;
}

function readNumber(schema: Schema, value: unknown, place: string, note: Note): unknown {
  const text = typeof value === 'string' ? value.trim().replace(/^#(?=\d+$)/, '') : undefined;
  const number = text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : value;
  const maximum = schema instanceof z.ZodNumber ? (schema.maxValue ?? Number.POSITIVE_INFINITY) : 0;
  if (typeof number !== 'number' || number <= maximum) return number;
  if (!cutToMost.has(nameOf(place))) return number;
  note(`${place} ${number} was cut to ${maximum}, the most there may be.`);
  return maximum;
}

const nameOf = (place: string): string => place.split('.').at(-1) ?? '';

function readBoolean(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  return booleans.get(String(value).toLowerCase()) ?? value;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

function readText(schema: Schema, def: z.core.$ZodStringDef, value: unknown, place: string, note: Note): unknown {
  if ((def as { format?: string }).format === 'datetime') return readTime(value, place, note);
  const words = knownWords.get(schema)?.words;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return words ? readWord(words, value) : value;
}

/** A date without a time is one in UTC, as all times that the tools return. A time without a zone stays unclear. */
function readTime(value: unknown, place: string, note: Note): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const read = `${text}T${endsOfDays.has(nameOf(place)) ? '23:59:59' : '00:00:00'}Z`;
    note(`${place} ${JSON.stringify(value)} was read as ${read}.`);
    return read;
  }
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?\s*(?:(Z)|([+-]\d\d):?(\d\d))$/i.exec(text);
  if (!match) return value;
  const [, day, minute, second = ':00', utc, hours, minutes] = match;
  return `${day}T${minute}${second}${utc ? 'Z' : `${hours}:${minutes}`}`;
}
