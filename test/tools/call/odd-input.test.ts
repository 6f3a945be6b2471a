import { expect, it } from 'vitest';
import type { AnyTool } from '../../../src/tools/call/define-tool.js';
import { alternatives, inputSchema, type JsonSchema } from '../../../src/tools/call/input-schema.js';
import { contextOf, runTool } from '../../../src/tools/call/run-tool.js';
import { chooseTools } from '../../../src/tools/index.js';
import { isOnPostgres } from '../../support/postgres.js';
import { testRuntime } from '../../support/test-runtime.js';

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });
const caller = { holder: 'session:test', project: '/home/ada' };

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { deeper: value };
  return value;
}

/** A value for each field that a tool demands, with the field under test as it is given. */
function argumentsWith(tool: AnyTool, field: string, value: unknown): Record<string, unknown> {
  const { required = [], properties = {} } = inputSchema(tool);
  const filled = required.map((name) => [name, sample(properties[name] as JsonSchema)]);
  return { ...Object.fromEntries(filled), [field]: value };
}

function sample(schema: JsonSchema): unknown {
  const [form = {}] = alternatives(schema);
  if (form.enum) return form.enum[0];
  switch (form.type) {
    case 'integer':
    case 'number':
      return form.minimum ?? 1;
    case 'boolean':
      return true;
    case 'array':
      return [sample((form.items ?? {}) as JsonSchema)];
    case 'object': {
      const fields = (form.required ?? []).map((name) => [name, sample(form.properties?.[name] as JsonSchema)]);
      return Object.fromEntries(fields);
    }
    default:
      return form.format === 'date-time' ? '2030-01-01T00:00:00Z' : 'a';
  }
}

/** The text in the place of every string of a sample, one at a time. */
function* oddly(value: unknown, text: string): Generator<unknown> {
  if (typeof value === 'string') yield text;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    for (const odd of oddly(item, text)) yield Array.isArray(value) ? [odd] : { ...value, [name]: odd };
  }
}

/** Nothing is started and nothing is awaited for long by these calls. */
const signal = AbortSignal.timeout(600_000);

async function codeOf(tool: AnyTool, given: unknown, runtime: Awaited<ReturnType<typeof testRuntime>>) {
  try {
    await runTool(tool, given, contextOf(runtime, caller, { signal }));
    return 'ok';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `internal: ${String(error)}`;
  }
}

it('no tool answers internal to arguments nested 10,000 deep, wherever they stand', async () => {
  const runtime = await testRuntime();
  const found: string[] = [];
  for (const tool of tools) {
    for (const field of [...Object.keys(tool.input.shape), 'unknown_field']) {
      const code = await codeOf(tool, argumentsWith(tool, field, nested(10_000)), runtime);
      if (code !== 'invalid') found.push(`${tool.name}.${field}: ${code}`);
    }
    expect(await codeOf(tool, nested(10_000), runtime)).toBe('invalid');
  }
  expect(found).toEqual([]);
});

it.each(['toString', 'valueOf', 'constructor', '__proto__', 'hasOwnProperty', 'toJSON', 'length', 'then'])(
  'no tool answers internal to an object with a %s of its own, wherever it stands',
  async (name) => {
    const runtime = await testRuntime();
    const odd = JSON.parse(`{"${name}": 1}`);
    const found: string[] = [];
    for (const tool of tools) {
      for (const field of [...Object.keys(tool.input.shape), 'unknown_field']) {
        for (const value of [odd, [odd], { a: odd }]) {
          const code = await codeOf(tool, argumentsWith(tool, field, value), runtime);
          if (code.startsWith('internal')) found.push(`${tool.name}.${field}: ${code}`);
        }
      }
    }
    expect(found).toEqual([]);
  },
);

it('says how deep arguments may be, and takes what is not deeper', async () => {
  const runtime = await testRuntime();
  const create = tools.find(({ name }) => name === 'create_task') as AnyTool;
  const call = (levels: number) =>
    runTool(create, { title: 'deep', metadata: { deep: nested(levels) } }, contextOf(runtime, caller));
  await expect(call(60)).resolves.toMatchObject({ title: 'deep' });
  await expect(call(70)).rejects.toMatchObject({
    code: 'invalid',
    message: 'The arguments of create_task are nested more than 64 levels deep.',
  });
});

it.each([
  ['a NUL character', 'a\0b'],
  ['only a NUL character', '\0'],
  ['half of a surrogate pair', '\ud800'],
  ['the other half', 'a\udc00b'],
])('no tool answers internal to %s in any string', async (_, text) => {
  const runtime = await testRuntime();
  const found: string[] = [];
  for (const tool of tools) {
    const { properties = {} } = inputSchema(tool);
    for (const [field, schema] of Object.entries(properties)) {
      for (const value of oddly(sample(schema as JsonSchema), text)) {
        const code = await codeOf(tool, argumentsWith(tool, field, value), runtime);
        if (code.startsWith('internal')) found.push(`${tool.name}.${field}: ${code}`);
      }
    }
  }
  expect(found).toEqual([]);
});

it.each([
  ['add_task', { id: '\0', description: 'x' }, /^id holds a NUL character \(got "\\u0000"\)\.$/],
  [
    'circuit_breaker_record_failure',
    { agent_id: '\ud800', failure_type: 'exception', error_message: 'x' },
    /^agent_id holds half of a surrogate pair/,
  ],
  ['create_tasks', { tasks: [{ title: 'a', key: 'k\0' }] }, /^tasks\[0\]\.key holds a NUL character/],
])('%s names the place and the character', async (name, input, message) => {
  const runtime = await testRuntime();
  const tool = tools.find((candidate) => candidate.name === name) as AnyTool;
  await expect(runTool(tool, input, contextOf(runtime, caller))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(message),
  });
});

it('free text may hold any character that the database can store', async () => {
  const runtime = await testRuntime();
  const create = tools.find(({ name }) => name === 'create_task') as AnyTool;
  const call = (description: string) => runTool(create, { title: 'x', description }, contextOf(runtime, caller));
  await expect(call('cut in an emoji \ud83d')).resolves.toMatchObject({ title: 'x' });
  const withNul = call('and a NUL \0');
  if (isOnPostgres)
    await expect(withNul).rejects.toMatchObject({ code: 'invalid', hint: expect.stringContaining('Remove') });
  else await expect(withNul).resolves.toMatchObject({ title: 'x' });
});
