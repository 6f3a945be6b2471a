import fc from 'fast-check';
import { alternatives, asSchema, type JsonSchema } from '../../src/tools/call/input-schema.js';
import { hostileNumber, hostileText, hostileValue } from './hostile.js';
import { mention } from './known.js';

/** Values of a declared schema, most of them as it wants them, some at its edges and some beyond. `name` is the field's. */
export function valuesOf(schema: JsonSchema | undefined, name: string): fc.Arbitrary<unknown> {
  const branches = alternatives(schema).map((branch) => plainValuesOf(branch, name));
  return fc.oneof(...branches);
}

function plainValuesOf(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]));
  if (schema.const !== undefined) return fc.constant(schema.const);
  switch (schema.type) {
    case 'integer':
      return wholeNumber(schema, name);
    case 'number':
      return number(schema);
    case 'string':
      return text(schema, name);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return list(schema, name);
    case 'object':
      return object(schema);
    default:
      return hostileValue;
  }
}

/** Names of fields that keep a call waiting: mostly it does not wait, so that others get their turn. */
const waits = new Set(['timeout_seconds', 'wait_seconds']);

function wholeNumber({ minimum = 0, maximum = 1_000_000 }: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const lowest = Math.ceil(minimum);
  const small = fc.integer({ min: lowest, max: Math.max(lowest, Math.min(maximum, lowest + 20)) });
  if (waits.has(name)) return fc.oneof({ weight: 60, arbitrary: fc.constant(lowest) }, { weight: 1, arbitrary: small });
  return fc.oneof(
    { weight: 6, arbitrary: mention(name, small) },
    { weight: 4, arbitrary: small },
    { weight: 1, arbitrary: fc.constantFrom(lowest, maximum, lowest - 1, maximum + 1) },
    { weight: 1, arbitrary: hostileNumber },
  );
}

function number({ minimum = 0, maximum = 1 }: JsonSchema): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: minimum, max: maximum, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(minimum, maximum, minimum - 1e-9, maximum + 1e-9) },
    { weight: 1, arbitrary: hostileNumber },
  );
}

function text(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const { maxLength, format } = schema;
  const usual = format === 'date-time' ? times : words[name] ? fc.constantFrom(...words[name]) : sentence;
  return fc.oneof(
    { weight: 12, arbitrary: mention(name, usual) },
    { weight: 12, arbitrary: usual },
    { weight: 1, arbitrary: hostileText },
    // A text as long as it may be, and longer by one; the longest of all would only fill the disk.
    ...(maxLength !== undefined && maxLength <= 10_000
      ? [{ weight: 1, arbitrary: fc.constantFrom('x'.repeat(maxLength), 'y'.repeat(maxLength + 1)) }]
      : []),
  );
}

const sentence = fc
  .array(fc.constantFrom('build', 'the', 'house', 'of', 'ünïcode', '家', '{{x}}'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(' '));

const times = fc.constantFrom(
  ...['2026-12-01T09:00:00Z', '2020-01-01T00:00:00+14:00', '1970-01-01T00:00:00Z', '2099-01-01T00:00:00.123456789Z'],
  ...['2026-02-29T00:00:00Z', '2026-12-01', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999-12:00'],
);

/** What a field means to a tool, where any text would only be refused. */
const words: Readonly<Record<string, readonly [string, ...string[]]>> = {
  agent_id: ['researcher', 'analyzer', 'llm:anthropic', 'job:generic', 'mine'],
  agent_type: ['researcher', 'analyzer', 'synthesizer', 'validator', 'mine'],
  agent_types: ['researcher', 'analyzer', 'synthesizer', 'validator', 'mine'],
  fallback_agent: ['generalist', 'researcher', 'mine', ''],
  model: ['claude-sonnet-5-5', 'opus', 'gemini-3.8-flash', 'ollama:llama3.2', 'custom:none', 'claude-code'],
  judge_model: ['claude-sonnet-5-5', 'haiku', 'none'],
  fallback_models: ['haiku', 'ollama:llama3.2'],
  tool_name: [
    'odd.echo',
    'odd.add',
    'odd.big',
    'odd.refuse',
    'odd.break',
    'odd.garbage',
    'echo',
    'web_search',
    'gone.x',
  ],
  server: ['odd', 'gone'],
  prefer: ['odd', 'native', 'gone'],
  backups: ['odd', 'gone', 'odd.echo'],
  type: ['generic', 'llm', 'backtest', 'command', 'relay_step', 'run_goal', 'verification'],
  path: ['copy.db', 'a', '.hidden', 'a/b.db'],
  worker_id: ['ada', 'bob', 'worker-1'],
  workerId: ['ada', 'bob', 'worker-1'],
  key: ['auth', 'api', 'k1', 'k2'],
  id: ['auth', 'api', 'k1', 'k2', 'w1', 'w2'],
  idempotency_key: ['once', 'twice'],
};

function list(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const item = asSchema(Array.isArray(schema.items) ? undefined : (schema.items as JsonSchema | undefined));
  return fc.array(valuesOf(item, name), { maxLength: 4 });
}

/** Required fields nearly always, the others now and then. */
export function object(schema: JsonSchema): fc.Arbitrary<Record<string, unknown>> {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return anyObject;
  const chosen = fields.map(([name, field]) => {
    const given = valuesOf(asSchema(field), name).map((value) => [[name, value]] as [string, unknown][]);
    const absent = fc.constant<[string, unknown][]>([]);
    const [withIt, without] = required.has(name) ? [60, 1] : [1, 3];
    return fc.oneof({ weight: withIt, arbitrary: given }, { weight: without, arbitrary: absent });
  });
  return fc.tuple(...chosen).map((entries) => Object.fromEntries(entries.flat()));
}

const anyObject = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'text', 'x'), fc.jsonValue({ maxDepth: 2 })) },
  { weight: 1, arbitrary: hostileValue.map((value) => ({ a: value })) },
) as fc.Arbitrary<Record<string, unknown>>;
