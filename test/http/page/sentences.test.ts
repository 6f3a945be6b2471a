import { expect, it } from 'vitest';
import { type EventSubject, eventTypes } from '../../../src/core/events/event-types.js';
import type { Part } from '../../../src/http/page/activity/sentence.js';
import { sentenceOf } from '../../../src/http/page/activity/sentences.js';

const text = (parts: readonly Part[]) =>
  parts.map((part) => (typeof part === 'string' ? part : `<${part.of}>`)).join('');

function tell(subject: EventSubject, type: string, more: object = {}): string {
  return text(sentenceOf({ subject, subjectId: '8', type, actor: 'user:ada', data: {}, ...more }).parts);
}

const kinds = Object.entries(eventTypes).flatMap(([subject, types]) =>
  types.map((type) => [subject as EventSubject, type] as const),
);

it.each(kinds)('%s %s is told as a sentence, with an actor and data or without', (subject, type) => {
  for (const more of [{}, { actor: null }, { data: { worker_id: 'w', error: 'e', step: 1, because_of: 9 } }]) {
    const told = tell(subject, type, more);
    expect(told).toMatch(/^[A-Z#<“]/);
    expect(told).not.toMatch(/undefined|null|\[object|NaN/);
    expect(told).not.toContain('  ');
    expect(told).not.toContain(`: ${type.replaceAll('_', ' ')}`);
    expect(told.split(' ').length).toBeGreaterThan(1);
  }
});

it.each([
  [['task', 'completed'], '<user:ada> completed #8 <task:8>'],
  [['task', 'completed', { actor: null }], '#8 <task:8> was completed'],
  [['task', 'failed', { data: { error: 'no\n flour' } }], '<user:ada> reported that #8 <task:8> failed: no flour'],
  [
    ['task', 'claimed', { data: { worker_id: 'eve', attempt: 2 } }],
    '<user:ada> began #8 <task:8> for <loose:eve>, attempt 2',
  ],
  [['task', 'claimed', { actor: 'loose:eve', data: { worker_id: 'eve' } }], '<loose:eve> began #8 <task:8>'],
  [
    ['task', 'lapsed', { actor: null, data: { held_by: 'session:1 (worker eve)' } }],
    '#8 <task:8> is on the board again: the claim of <loose:eve> lapsed',
  ],
  [['task', 'skipped', { data: { because_of: 7 } }], '#8 <task:8> was skipped, because of #7 <task:7>'],
  [['task', 'note', { data: { note: 'Ask Bern' } }], '<user:ada> noted on #8 <task:8>: “Ask Bern”'],
  [
    ['task', 'edited', { data: { fields: ['dependsOn', 'title'] } }],
    '<user:ada> changed #8 <task:8>: depends on, title',
  ],
  [['message', 'sent', { data: { from: 'eve', to: 'all' } }], '<eve> wrote to <all>: <message:8>'],
  [['relay', 'step_passed', { data: { step: 0, quality: 0.9 } }], 'Step 1 of relay <relay:8> passed with quality 0.9'],
  [['session', 'lost', { actor: 'session:1' }], '<session:1> was lost: its process is gone'],
  [['runtime', 'browser_signed_in'], '<user:ada> signed in'],
  [
    ['runtime', 'webhook_disabled', { data: { name: 'ci', why: 'it answered 410' } }],
    'Webhook ci was disabled: it answered 410',
  ],
  [
    ['runtime', 'events_lost', { data: { name: 'ci', kind: 'webhook', events: 3 } }],
    'Webhook ci had not got events that were deleted: 3',
  ],
] as [[EventSubject, string, object?], string][])('%j is told as %s', ([subject, type, more], told) =>
  expect(tell(subject, type, more)).toBe(told),
);

it('a kind of an earlier version is told by its name', () => {
  expect(tell('task', 'was_moved')).toBe('#8 <task:8>: was moved by <user:ada>');
  expect(tell('task', 'constructor', { actor: null })).toBe('#8 <task:8>: constructor');
  expect(tell('planet' as never, 'seen')).toBe('Planet <planet:8>: seen by <user:ada>');
});
