import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeTool } from '../../src/mcp/call-tool.js';
import { instructions } from '../../src/mcp/instructions.js';
import { inputSchema } from '../../src/tools/call/input-schema.js';
import { chooseTools, chosenToolsets, toolsets } from '../../src/tools/index.js';

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });

it('names are unique, short and plain', () => {
  expect(new Set(tools.map((tool) => tool.name)).size).toBe(tools.length);
  expect(tools.filter((tool) => !/^[a-z][a-z0-9_]{1,29}$/.test(tool.name)).map((tool) => tool.name)).toEqual([]);
});

describe.each(tools.map((tool) => [tool.name, tool] as const))('%s', (_, tool) => {
  it('says what it is', () => {
    expect(tool.title.length).toBeGreaterThan(3);
    expect(tool.description.length).toBeGreaterThan(40);
    expect(tool.description.length).toBeLessThan(600);
    expect(tool.description).not.toMatch(/\s{2}/);
  });

  it('takes a strict object whose every field is described', () => {
    expect(tool.input.safeParse({ no_such_argument: 1 }).error?.issues.map((issue) => issue.code)).toContain(
      'unrecognized_keys',
    );
    const undescribed = Object.entries(tool.input.shape).filter(
      ([, field]) => !z.globalRegistry.get(field as z.ZodType)?.description && !descriptionOf(field as z.ZodType),
    );
    expect(undescribed.map(([name]) => name)).toEqual([]);
  });

  it('has an input schema that clients can show', () => {
    const schema = inputSchema(tool);
    expect(schema.type).toBe('object');
    expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(tool.input.shape));
    // What is listed says less, and leaves out no argument.
    const listed = describeTool(tool).inputSchema;
    expect(Object.keys(listed.properties ?? {})).toEqual(Object.keys(tool.input.shape));
    expect(listed.required ?? []).toEqual(schema.required ?? []);
    const text = JSON.stringify(schema);
    expect(text).not.toContain('9007199254740991');
    expect(text).not.toContain('$ref');
  });

  it('hints at what it does to the world', () => {
    // What is left out is what the protocol assumes (MCP spec 2025-11-25, ToolAnnotations).
    const assumed = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
    const { annotations, title } = describeTool(tool);
    const hints = { ...assumed, ...annotations };
    expect([annotations?.title, title]).toEqual([tool.title, undefined]);
    expect(hints.readOnlyHint).toBe(tool.effect === 'read');
    if (tool.effect !== 'read') expect(hints.destructiveHint).toBe(tool.effect === 'destroy');
    if (tool.effect !== 'read') expect(hints.idempotentHint).toBe(tool.isIdempotent ?? false);
    expect(hints.openWorldHint).toBe(tool.isExternal ?? false);
  });
});

function descriptionOf(field: z.ZodType): string | undefined {
  if (field.description) return field.description;
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault || field instanceof z.ZodNullable) {
    return descriptionOf(field.unwrap() as z.ZodType);
  }
  return undefined;
}

it('five entry tools are always loaded', () => {
  const entries = tools.filter((tool) => describeTool(tool)._meta?.['anthropic/alwaysLoad'] === true);
  expect(entries.map((tool) => tool.name).sort()).toEqual([
    'claim_next_task',
    'create_goal',
    'runtime_status',
    'submit_background_task',
    'update_task_status',
  ]);
});

it('the instructions are short, and name only tools there are', () => {
  expect(instructions.length).toBeLessThan(2_000);
  const known = new Set(tools.map((tool) => tool.name));
  const named = instructions.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [];
  const fields = new Set([
    ...tools.flatMap((tool) => Object.keys(tool.input.shape)),
    'depends_on',
    'next_cursor',
    'run_id',
  ]);
  expect(named.filter((name) => !known.has(name) && !fields.has(name))).toEqual([]);
});

it('toolsets are chosen by name, and an unknown one is an error that names those there are', () => {
  expect(chosenToolsets('all')).toEqual(Object.keys(toolsets));
  expect(chosenToolsets('Goals, system')).toEqual(['goals', 'system']);
  expect(chosenToolsets('core').length).toBeLessThan(Object.keys(toolsets).length);
  expect(() => chosenToolsets('gaols')).toThrow(/no toolset "gaols"/);
});

it('read-only leaves the tools that change nothing', () => {
  const reading = chooseTools({ toolsets: 'all', isReadOnly: true });
  expect(reading.length).toBeGreaterThan(5);
  expect(reading.every((tool) => tool.effect === 'read')).toBe(true);
});
