import { RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { cut } from '../../base/text.js';
import { alternatives, fieldSchema, itemSchema, type JsonSchema, typeWords } from './input-schema.js';

/** What a command line gives for one argument: texts for itself, and texts for its fields (`model_params.max_tokens=100`). */
export interface Given {
  texts: string[];
  fields: Map<string, Given>;
}

/** Sorts `key=value` pairs into a tree by the dots in their keys. Throws `invalid` for text without a key. */
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
  return wrong(`--arg ${JSON.stringify(cut(pair, 80))} is not a key=value pair.`, 'Write --arg key=value.');
}

/**
 * The fields of an object, each converted from the texts of a command line to the type that its schema wants. A name
 * that the schema does not have is passed on: the tool's own check refuses it. Throws `invalid` for a text that cannot
 * be converted.
 */
export function convertFields(schema: JsonSchema, given: Given, place = ''): Record<string, unknown> {
  const entries = [...given.fields].map(([name, field]): [string, unknown] => {
    const fieldPlace = place === '' ? name : `${place}.${name}`;
    return [name, convert(fieldSchema(schema, name), field, fieldPlace)];
  });
  return Object.fromEntries(entries);
}

function convert(schema: JsonSchema | undefined, given: Given, place: string): unknown {
  const forms = alternatives(schema);
  const list = forms.find((form) => form.type === 'array');
  if (given.fields.size > 0) {
    if (given.texts.length > 0) throw wrong(`${place} is given as a whole and in parts.`, 'Give it one way.');
    return list ? convertItems(list, given, place) : convertFields(objectAmong(forms), given, place);
  }
  const [text = '', ...more] = given.texts;
  if (list) {
    const isWhole = more.length === 0 && (text.startsWith('[') || isNull(forms, text));
    if (!isWhole) return given.texts.map((item) => convertText(alternatives(itemSchema(list)), item, place));
  } else if (more.length > 0) throw wrong(`${place} is given ${given.texts.length} times.`, 'It takes one value.');
  return convertText(forms, text, place);
}

/** `tasks.0.title=...` */
function convertItems(list: JsonSchema, given: Given, place: string): unknown[] {
  const items: unknown[] = [];
  for (const [name, item] of given.fields) {
    if (name !== String(items.length)) {
      throw wrong(
        `${place}.${name}: the next item of this list is ${items.length}.`,
        'Number its items from 0, in order.',
      );
    }
    items.push(convert(itemSchema(list), item, `${place}.${name}`));
  }
  return items;
}

/** Where the schema allows text, a value stays text, however much it looks like a number. */
function convertText(forms: readonly JsonSchema[], text: string, place: string): unknown {
  if (isNull(forms, text)) return null;
  if (forms.some((form) => form.type === 'string')) return text;
  for (const form of forms) {
    const value = readAs(form, text);
    if (value !== undefined) return value;
  }
  const shown = JSON.stringify(cut(text, 80));
  throw wrong(`${place}: expected ${forms.map(typeWords).join(' or ')}, got ${shown}.`, 'Nothing was done.');
}

function readAs(form: JsonSchema, text: string): unknown {
  switch (form.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : undefined);
    case 'array': {
      const value = fromJson(text);
      return Array.isArray(value) ? value : undefined;
    }
    case 'object': {
      const value = fromJson(text);
      return isObject(value) ? value : undefined;
    }
    case undefined: {
      const value = fromJson(text);
      return value === undefined ? text : value;
    }
    default:
      return undefined;
  }
}

function isNull(forms: readonly JsonSchema[], text: string): boolean {
  return text === 'null' && forms.some((form) => form.type === 'null');
}

function objectAmong(forms: readonly JsonSchema[]): JsonSchema {
  return forms.find((form) => form.type === 'object') ?? {};
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrong(message: string, hint: string): RuntimeError {
  return new RuntimeError('invalid', message, hint);
}
