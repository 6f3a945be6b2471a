import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { cut, nearest } from '../../base/text.js';
import type { Checked } from './define-tool.js';
import { type JsonSchema, toJsonSchema, typeWords } from './input-schema.js';
import { namesFor } from './read-loosely.js';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

interface Explained {
  place: string;
  /** The message without its place. */
  beside: string;
  message: string;
  hint: string;
}

/** More are not named: a list of hundreds may be wrong in each of its items, in the same way. */
const mostExplained = 5;

/**
 * What is wrong with the arguments of a call: each with its place (`tasks[1].priority`), its value, what is expected
 * there, and the name that was probably meant.
 */
export function explainIssues(tool: Checked, issues: readonly Issue[]): RuntimeError {
  // A wrong name comes first: what is missing is often there under it.
  const explained = [...issues]
    .sort((a, b) => Number(b.code === 'unrecognized_keys') - Number(a.code === 'unrecognized_keys'))
    .flatMap((issue) => explain(tool, issue));
  const shown = explained.slice(0, mostExplained);
  const more = explained.length - shown.length;
  const messages = shown.map(({ message }) => message);
  if (more > 0) messages.push(`And ${more} more.`);
  const hints = [...new Set(shown.map(({ hint }) => hint))].slice(0, 3);
  const fields = explained.map(({ place, beside }) => ({ place, message: beside }));
  return new RuntimeError('invalid', messages.join(' '), hints.join(' '), { fields });
}

function explain(tool: Checked, issue: Issue): Explained[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => explainUnknown(tool, issue, key));
  const inner = issue.code === 'invalid_union' ? fittingBranch(issue) : undefined;
  if (inner) return inner.flatMap((each) => explain(tool, { ...each, path: [...issue.path, ...each.path] }));
  return [explainValue(tool, issue)];
}

/** The branch of a union that the value was meant for: the one that only something inside it does not fit. */
function fittingBranch({ errors }: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined {
  return errors.find((branch) => branch.length > 0 && branch.every(({ path }) => path.length > 0));
}

function explainUnknown(tool: Checked, { path, input }: Issue, key: string): Explained {
  const place = placeOf(path);
  const fields = fieldsOf(schemaAt(tool.input, path));
  const names = Object.keys(fields);
  const meant = namesFor(key, fields);
  const near = meant.length > 0 ? meant : nearest(key, names);
  const value = shown((input as Record<string, unknown> | undefined)?.[key]);
  const takes = `${place === '' ? 'It' : place} takes: ${names.join(', ') || 'nothing'}.`;
  return {
    place: placeOf([...path, key]),
    beside: `There is no such field. ${takes}`,
    message: `Unknown argument ${JSON.stringify(placeOf([...path, key]))} of ${tool.name}${value}. ${takes}`,
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')} in place of ${key}?` : `Leave out ${key}.`,
  };
}

function explainValue(tool: Checked, issue: Issue): Explained {
  const schema = schemaAt(tool.input, issue.path);
  const place = placeOf(issue.path) || `The arguments of ${tool.name}`;
  const hint = whatIsMeant(tool, issue.path);
  if (issue.input === undefined && issue.code !== 'custom') {
    const what = `expected ${expected(schema)}.`;
    return { ...besideOf(issue, `Missing: ${what}`), message: `${place} is missing: ${what}`, hint };
  }
  const isType = ['invalid_type', 'invalid_union', 'invalid_value'].includes(issue.code);
  const isTime = issue.code === 'invalid_format' && issue.format === 'datetime';
  const what = isType || isTime ? `expected ${expected(schema)}` : issue.message;
  return { ...besideOf(issue, `${what}.`), message: `${place}: ${what}${shown(issue.input)}.`, hint };
}

const besideOf = ({ path }: Issue, text: string): Pick<Explained, 'place' | 'beside'> => ({
  place: placeOf(path),
  beside: text.charAt(0).toUpperCase() + text.slice(1),
});

/** The description of the argument at a path, or of the nearest one around it that has any. */
function whatIsMeant(tool: Checked, path: readonly PropertyKey[]): string {
  const schema = schemaAt(tool.input, path);
  const description = schema && descriptionOf(schema);
  if (description !== undefined) return `${placeOf(path)}: ${description}`;
  if (path.length > 0) return whatIsMeant(tool, path.slice(0, -1));
  return `Give the arguments as {${JSON.stringify(Object.keys(tool.input.shape)[0] ?? 'name')}: value, ...}.`;
}

const expected = (schema: Schema | undefined): string => typeWords(schema && (toJsonSchema(schema) as JsonSchema));

function shown(value: unknown): string {
  if (value === undefined) return '';
  return ` (got ${cut(JSON.stringify(value) ?? String(value), 80)})`;
}

/** `tasks[2].title` */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
}

/** The schema of what stands at a path, as far as the schema says. */
function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return schema;
  for (const form of formsOf(schema)) {
    const { def } = (form as z.core.$ZodTypes)._zod;
    const inner =
      def.type === 'object'
        ? def.shape[String(part)]
        : def.type === 'array'
          ? def.element
          : def.type === 'record'
            ? def.valueType
            : undefined;
    if (inner) return schemaAt(inner, rest);
  }
  return undefined;
}

/** What a value may be, without what may stand around it: the branches of a union, or the one schema. */
function formsOf(schema: Schema): Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'union') return def.options.flatMap((option) => formsOf(option));
  return 'innerType' in def ? formsOf(def.innerType as Schema) : [schema];
}

function fieldsOf(schema: Schema | undefined): Readonly<Record<string, Schema>> {
  for (const form of schema ? formsOf(schema) : []) {
    const { def } = (form as z.core.$ZodTypes)._zod;
    if (def.type === 'object') return def.shape;
  }
  return {};
}

function descriptionOf(schema: Schema): string | undefined {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return 'innerType' in def ? descriptionOf(def.innerType as Schema) : undefined;
}
