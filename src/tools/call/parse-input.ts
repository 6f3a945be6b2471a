import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { AnyTool } from './define-tool.js';

/**
 * A tool's arguments, checked by its input schema. Words of an enum may come in any case. Throws `invalid`, naming each
 * wrong argument with its value and what it may be.
 */
export function parseInput(tool: AnyTool, given: unknown): Record<string, unknown> {
  const parsed = tool.input.safeParse(foldWords(tool.input, given ?? {}), { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => explainIssue(tool, issue));
  throw new RuntimeError(
    'invalid',
    problems.join(' '),
    `Nothing was done. Fix the arguments and call ${tool.name} again.`,
  );
}

function explainIssue(tool: AnyTool, issue: z.core.$ZodIssue): string {
  const place = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    const known = place === '' ? ` It takes: ${Object.keys(tool.input.shape).join(', ') || 'nothing'}.` : '';
    const plural = issue.keys.length > 1 ? 'arguments' : 'argument';
    return `Unknown ${plural} ${names} of ${tool.name}${place === '' ? '' : ` in ${place}`}.${known}`;
  }
  const what = place === '' ? `The arguments of ${tool.name}` : place;
  return `${what}: ${issue.message}${shown(issue)}.`;
}

/** `tasks[2].title` */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
}

function shown(issue: z.core.$ZodIssue): string {
  if (!('input' in issue) || issue.input === undefined || issue.message.includes('received')) return '';
  const text = JSON.stringify(issue.input) ?? String(issue.input);
  return ` (got ${cut(text, 80)})`;
}

/** `COMPLETED` becomes `completed`. */
function foldWords(schema: z.ZodObject, given: unknown): unknown {
  if (!isObject(given)) return given;
  const folded: Record<string, unknown> = { ...given };
  for (const [name, field] of Object.entries(schema.shape)) {
    const value = folded[name];
    const words = typeof value === 'string' ? wordsOf(field) : undefined;
    const word = words?.find((known) => known.toLowerCase() === String(value).toLowerCase());
    if (word !== undefined) folded[name] = word;
  }
  return folded;
}

function wordsOf(field: unknown): string[] | undefined {
  if (field instanceof z.ZodEnum) return field.options.map(String);
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) return wordsOf(field.unwrap());
  return undefined;
}
