import { RuntimeError } from '../../../base/errors.js';
import { alternatives, fieldSchema, itemSchema, type JsonSchema } from './input-schema.js';
import type { Given } from './parse-pairs.js';
import { typeWords } from './type-words.js';

/**
 * The fields of an object, each converted from the texts of a command line to what its schema wants. A name that the
 * schema does not have is passed on, for the tool's own check to refuse. Throws `invalid` for a text that cannot be
 * what is wanted.
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

/** Where text is allowed it stays text, however much it looks like a number. */
function convertText(forms: readonly JsonSchema[], text: string, place: string): unknown {
  if (isNull(forms, text)) return null;
  if (forms.some((form) => form.type === 'string')) return text;
  for (const form of forms) {
    const value = readAs(form, text);
    if (value !== undefined) return value;
  }
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
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
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
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
