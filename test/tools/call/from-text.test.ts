import { expect, it } from 'vitest';
import { z } from 'zod';
import { convertFields, parsePairs } from '../../../src/tools/call/from-text.js';
import type { JsonSchema } from '../../../src/tools/call/input-schema.js';

const shape = z.strictObject({
  title: z.string(),
  priority: z.int().min(1).max(10).optional(),
  ratio: z.number().default(0.5),
  confirm: z.literal(true).optional(),
  force: z.boolean().optional(),
  task: z.union([z.int(), z.string()]).optional(),
  deadline: z.iso.datetime().nullable().optional(),
  goal: z.int().nullable().optional(),
  word: z.enum(['red', 'green']).optional(),
  ids: z.array(z.int()).optional(),
  names: z.array(z.string()).optional(),
  refs: z.array(z.union([z.int(), z.string()])).optional(),
  steps: z.array(z.strictObject({ title: z.string(), weight: z.number().optional() })).optional(),
  params: z.strictObject({ max_tokens: z.int().optional(), stop: z.array(z.string()).optional() }).optional(),
  metadata: z.record(z.string(), z.custom<unknown>()).optional(),
});
const schema = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
const convert = (...pairs: string[]) => convertFields(schema, parsePairs(pairs));

it.each([
  ['title=A title = with an equals sign', { title: 'A title = with an equals sign' }],
  ['title=', { title: '' }],
  ['title=12', { title: '12' }],
  ['title=true', { title: 'true' }],
  ['title=@home', { title: '@home' }],
  ['title=Grüße 漢字 🌱', { title: 'Grüße 漢字 🌱' }],
  ['priority=8', { priority: 8 }],
  ['priority=-3', { priority: -3 }],
  ['ratio=2.5e-1', { ratio: 0.25 }],
  ['confirm=true', { confirm: true }],
  ['force=false', { force: false }],
  ['task=12', { task: '12' }],
  ['task=007', { task: '007' }],
  ['task=auth-api', { task: 'auth-api' }],
  ['deadline=null', { deadline: null }],
  ['goal=null', { goal: null }],
  ['goal=4', { goal: 4 }],
  ['word=GREEN', { word: 'GREEN' }],
  ['ids=[1,2]', { ids: [1, 2] }],
  ['ids=3', { ids: [3] }],
  ['ids=[]', { ids: [] }],
  ['names=["a","b"]', { names: ['a', 'b'] }],
  ['names=a,b', { names: ['a,b'] }],
  ['steps=[{"title":"x"}]', { steps: [{ title: 'x' }] }],
  ['steps={"title":"x"}', { steps: [{ title: 'x' }] }],
  ['params={"max_tokens":5}', { params: { max_tokens: 5 } }],
  ['params.max_tokens=5', { params: { max_tokens: 5 } }],
  ['metadata={"a":[1]}', { metadata: { a: [1] } }],
  ['metadata.owner=ann', { metadata: { owner: 'ann' } }],
  ['metadata.count=3', { metadata: { count: 3 } }],
  ['metadata.deep.er=true', { metadata: { deep: { er: true } } }],
  ['metadata.list=[1,2]', { metadata: { list: [1, 2] } }],
])('reads %s as its field wants it', (pair, expected) => {
  expect(convert(pair)).toEqual(expected);
});

it('gathers a repeated argument into a list, each item converted', () => {
  expect(convert('ids=1', 'ids=2')).toEqual({ ids: [1, 2] });
  expect(convert('refs=1', 'refs=db-schema')).toEqual({ refs: ['1', 'db-schema'] });
  expect(convert('names=[END]', 'names=stop')).toEqual({ names: ['[END]', 'stop'] });
  expect(convert('params.stop=a', 'params.stop=b')).toEqual({ params: { stop: ['a', 'b'] } });
  expect(convert('steps.0.title=a', 'steps.0.weight=2', 'steps.1.title=b')).toEqual({
    steps: [{ title: 'a', weight: 2 }, { title: 'b' }],
  });
});

it.each([
  [['priority=high'], 'priority: expected whole number, 1 to 10, got "high"'],
  [['priority='], 'priority: expected whole number, 1 to 10, got ""'],
  [['priority=0x10'], 'priority: expected whole number'],
  [['force=yes'], 'force: expected true|false, got "yes"'],
  [['ids=1', 'ids=two'], 'ids: expected whole number, got "two"'],
  [['ids=[1,'], 'ids: expected list of whole number, got "[1,"'],
  [['names=[END]'], 'names: expected list of text, got "[END]"'],
  [['params=[1]'], 'params: expected JSON object'],
  [['params.max_tokens=many'], 'params.max_tokens: expected whole number'],
  [['steps.1.title=b'], 'steps.1: the next item of this list is 0'],
  [['steps.__proto__.title=b'], 'steps.__proto__: the next item'],
  [['title=a', 'title=b'], 'title is given 2 times'],
  [['params={}', 'params.max_tokens=5'], 'params is given as a whole and in parts'],
  [['title'], '--arg "title" is not a key=value pair'],
  [['=x'], 'is not a key=value pair'],
  [['a..b=x'], 'is not a key=value pair'],
])('refuses %j, saying which value was wrong', (pairs, message) => {
  expect(() => convert(...pairs)).toThrow(message);
  expect(() => convert(...pairs)).toThrow(expect.objectContaining({ code: 'invalid' }));
});

it('passes on what the schema does not know, for the tool to refuse', () => {
  expect(convert('colour=red')).toEqual({ colour: 'red' });
  expect(convert('colour.of=red')).toEqual({ colour: { of: 'red' } });
  expect(Object.hasOwn(convert('__proto__=x'), '__proto__')).toBe(true);
  expect(Object.hasOwn(convert('constructor=x'), 'constructor')).toBe(true);
});

it('takes values of a million characters', () => {
  const text = 'x'.repeat(1_000_000);
  expect(convert(`title=${text}`)).toEqual({ title: text });
  expect(() => convert(`priority=${text}`)).toThrow(/^.{0,200}$/);
});
