import { expect, it } from 'vitest';
import { foldEqual } from '../../src/dashboard/views/now/fold-equal.js';
import type { ToldEvent } from '../../src/http/page/activity/activity.js';

const event = (id: number, sentence: ToldEvent['sentence'], tone: ToldEvent['tone'] = 'bad'): ToldEvent => ({
  id,
  at: `2026-11-20T12:00:0${id}Z`,
  subject: 'job',
  subject_id: String(id),
  type: 'failed',
  tone,
  sentence,
});

it('changes that read the same are one where they are neighbours, the newest, with how many they are', () => {
  const job = (id: string) => ['Job ', { of: `job:${id}` }, ' failed'];
  const name = (id: string, text: string) => ({ kind: 'job' as const, id, name: text });
  const names = { 'job:a': name('a', 'nightly'), 'job:b': name('b', 'nightly'), 'job:c': name('c', 'weekly') };
  const events = [
    event(9, job('a')),
    event(8, job('b')),
    event(7, job('a')),
    event(6, job('c')),
    event(5, job('a')),
    event(4, job('a'), 'calm'),
  ];
  expect(foldEqual(events, names).map(({ id, times }) => [id, times])).toEqual([
    [9, 3],
    [6, undefined],
    [5, undefined],
    [4, undefined],
  ]);
  expect(events[0]).not.toHaveProperty('times');
});
