import type { Json, JsonObject } from '../../../base/json.js';
import { cut } from '../../../base/text.js';
import type { Event } from '../../../core/events/events.js';

/** A piece of a sentence: text, or a reference that the page draws as a name: `task:8`, or the actor of the event. */
export type Part = string | { of: string };

/** How what has happened is: done well, gone wrong, at work, in need of a look, or none of these. */
export const tones = ['good', 'bad', 'active', 'warn', 'calm'] as const;
export type Tone = (typeof tones)[number];

export interface Sentence {
  tone: Tone;
  parts: Part[];
}

/** What a sentence is made of. */
export type ToldEvent = Pick<Event, 'subjectId' | 'actor' | 'data'> & { subject: string };

/** Makes the sentence of one kind of event. */
export type Maker = (event: ToldEvent) => Sentence;

/** What is undefined says nothing. */
export type Said = Part | undefined | readonly Said[];

/** A sentence of these pieces, in order; texts that follow each other become one. */
export function sentence(tone: Tone, ...said: Said[]): Sentence {
  const parts: Part[] = [];
  for (const part of flat(said)) {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else if (part !== '') parts.push(part);
  }
  const [first] = parts;
  if (typeof first === 'string') parts[0] = first.charAt(0).toUpperCase() + first.slice(1);
  return { tone, parts };
}

const flat = (said: readonly Said[]): Part[] =>
  said.flatMap((one) => (one === undefined ? [] : Array.isArray(one) ? flat(one) : [one as Part]));

interface More {
  tone?: Tone;
  /** What follows the thing. */
  more?(data: JsonObject): Said;
}

/** `Ada completed #8`; without an actor `#8 was completed`. */
export function does(verb: string, { tone = 'calm', more }: More = {}): Maker {
  return (event) =>
    event.actor === null
      ? sentence(tone, thingOf(event), ` was ${verb}`, more?.(event.data))
      : sentence(tone, { of: event.actor }, ` ${verb} `, thingOf(event), more?.(event.data));
}

/** `#8 failed`: what happens to a thing by itself. */
export function happens(words: string, { tone = 'calm', more }: More = {}): Maker {
  return (event) => sentence(tone, thingOf(event), ` ${words}`, more?.(event.data));
}

/** What an event is about. A task has its number before its title. */
export function thingOf({ subject, subjectId }: Pick<ToldEvent, 'subject' | 'subjectId'>): Said {
  if (subject === 'task') return taskOf(subjectId);
  return [`${subject} `, { of: `${subject}:${subjectId}` }];
}

export const taskOf = (id: Json | undefined): Said => (id === undefined ? 'a task' : [`#${id} `, { of: `task:${id}` }]);

export const actorOf = ({ actor }: ToldEvent, otherwise = 'someone'): Said =>
  actor === null ? otherwise : { of: actor };

/** A value of the data as text between two others; nothing where there is none. */
export function told(before: string, value: Json | undefined, after = ''): Said {
  if (value === undefined || value === null || value === '') return undefined;
  const text = Array.isArray(value) ? value.slice(0, 5).join(', ') : String(value);
  return `${before}${cut(text.replaceAll(/\s+/g, ' ').trim(), longestText)}${after}`;
}

const longestText = 300;

/** A step of a relay, which data count from 0. */
export const stepOf = ({ step }: JsonObject): string => (typeof step === 'number' ? `step ${step + 1}` : 'a step');

/** Why something followed from another task or job. */
export const becauseOf =
  (kind: 'task' | 'job') =>
  ({ because_of: cause }: JsonObject): Said =>
    cause === undefined || cause === null
      ? undefined
      : [', because of ', kind === 'task' ? taskOf(cause) : ['job ', { of: `job:${cause}` }]];
