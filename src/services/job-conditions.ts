import { RuntimeError } from '../base/errors.js';
import type { Json, JsonObject } from '../base/json.js';
import { nearest } from '../base/text.js';

/** A job as conditions see it: its plain values by name. */
export interface JobFacts {
  status: string;
  type: string;
  /** Of its payload, defaults filled in where its result has them. */
  parameters: JsonObject;
  metadata: JsonObject;
  /** The numbers of its result. */
  figures: Readonly<Record<string, number>>;
}

/** A condition such as `learning_rate>=0.01` or `metadata.user=ada`. */
export interface Condition {
  name: string;
  isMet(facts: JobFacts): boolean;
}

/** Reads a condition: a name, one of = != < <= > >=, and a value. Throws `invalid`. */
export function readCondition(text: string): Condition {
  const [, name, operator, value] = /^\s*([\w.-]+?)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || operator === undefined || value === undefined || value === '') {
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(text)} is no condition.`,
      'Write a name, one of = != < <= > >=, and a value, such as learning_rate>=0.01.',
    );
  }
  const isNumeric = Number.isFinite(Number(value));
  if (!isNumeric && operator !== '=' && operator !== '!=') {
    throw new RuntimeError('invalid', `${JSON.stringify(text)} compares with ${value}, not a number.`, 'Use = or !=.');
  }
  return { name, isMet: (facts) => compare(factOf(facts, name), operator, value) };
}

function compare(fact: Json | undefined, operator: string, value: string): boolean {
  const isSame = typeof fact === 'number' ? fact === Number(value) : String(fact) === value;
  if (operator === '=') return fact !== undefined && isSame;
  if (operator === '!=') return !isSame;
  if (typeof fact !== 'number') return false;
  const other = Number(value);
  if (operator === '<') return fact < other;
  if (operator === '<=') return fact <= other;
  return operator === '>' ? fact > other : fact >= other;
}

function factOf(facts: JobFacts, name: string): Json | undefined {
  if (name === 'status' || name === 'type') return facts[name];
  if (name.startsWith('metadata.')) return facts.metadata[name.slice('metadata.'.length)];
  return facts.parameters[name] ?? facts.figures[name];
}

/** Throws `invalid` for a name that none of the jobs has, with those that are like it. */
export function requireKnown(names: readonly string[], jobs: readonly JobFacts[]): void {
  if (jobs.length === 0) return;
  const unknown = names.find((name) => jobs.every((facts) => factOf(facts, name) === undefined));
  if (unknown === undefined) return;
  const known = new Set(
    jobs.flatMap(({ parameters, metadata, figures }) => [
      ...Object.keys(parameters),
      ...Object.keys(figures),
      ...Object.keys(metadata).map((name) => `metadata.${name}`),
    ]),
  );
  const near = nearest(unknown, [...known]);
  const hint =
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `They have ${[...known].slice(0, 40).join(', ')}.`;
  throw new RuntimeError('invalid', `None of these jobs has ${unknown}.`, hint);
}
