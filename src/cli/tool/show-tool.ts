import type { AnyTool } from '../../tools/call/define-tool.js';
import {
  alternatives,
  asSchema,
  inputSchema,
  itemSchema,
  type JsonSchema,
  typeWords,
} from '../../tools/call/input-schema.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import type { Paint } from '../output.js';
import { readSettings } from '../read-settings.js';
import { findTool } from './find-tool.js';

/** Prints the help of a tool, which is made from its declaration. */
export function showTool(name: string, { flags, output }: CommandContext): void {
  const tool = findTool(name, readSettings(flags.settings));
  if (flags.isJson) {
    const { title, effect, description } = tool;
    output.printJson({ name, title, effect, description, input: inputSchema(tool) });
  } else output.print(renderHelp(tool, process.stdout.columns ?? 100, output.paint));
}

export function renderHelp(tool: AnyTool, width: number, paint: Paint): string {
  const schema = inputSchema(tool);
  const fields = [...fieldsOf(schema, '')];
  const usage = fields.filter((field) => field.isRequired && field.depth === 0).map(usageOf);
  return [
    `${paint('bold', tool.name)}: ${tool.title} (${effects[tool.effect]})`,
    '',
    wrap(tool.description, width),
    '',
    `Usage: ${[commandName, 'tool', tool.name, ...usage].join(' ')}`,
    '',
    fields.length === 0 ? 'It takes no arguments.' : 'Arguments:',
    ...fields.flatMap((field) => renderField(field, width, paint)),
  ].join('\n');
}

const effects = { read: 'changes nothing', write: 'changes data', destroy: 'may delete data' };

interface Field {
  /** `title`, `model_params.max_tokens`, `tasks[].title` */
  name: string;
  depth: number;
  isRequired: boolean;
  schema: JsonSchema;
}

/** Every argument, each followed by the fields inside it. */
function* fieldsOf(schema: JsonSchema, prefix: string, depth = 0): Generator<Field> {
  for (const [name, value] of Object.entries(schema.properties ?? {})) {
    const field = asSchema(value);
    if (!field) continue;
    yield { name: prefix + name, depth, isRequired: schema.required?.includes(name) ?? false, schema: field };
    for (const form of alternatives(field)) {
      yield* fieldsOf(form, `${prefix}${name}.`, depth + 1);
      const item = itemSchema(form);
      if (item) yield* fieldsOf(item, `${prefix}${name}[].`, depth + 1);
    }
  }
}

function usageOf({ name, schema }: Field): string {
  const [form] = alternatives(schema);
  const placeholder = form?.enum ? form.enum.join('|') : (placeholders[String(form?.type)] ?? 'TEXT');
  return `--arg ${name}=${placeholder}`;
}

const placeholders: Readonly<Record<string, string>> = {
  integer: 'NUMBER',
  number: 'NUMBER',
  array: 'JSON',
  object: 'JSON',
};

function renderField({ name, depth, isRequired, schema }: Field, width: number, paint: Paint): string[] {
  const indent = '  '.repeat(depth + 1);
  const remarks = [typeWords(schema), ...(isRequired ? ['required'] : []), ...defaultOf(schema)];
  const heading = `${indent}${paint('cyan', name)}  ${paint('dim', remarks.join(', '))}`;
  return schema.description ? [heading, wrap(schema.description, width, `${indent}    `)] : [heading];
}

function defaultOf(schema: JsonSchema): string[] {
  return schema.default === undefined ? [] : [`by default ${JSON.stringify(schema.default)}`];
}

/** Breaks a text between words into lines of at most `width` characters, where words allow it. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    const isFirst = line === indent;
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
