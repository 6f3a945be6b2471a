import { expect, it } from 'vitest';
import { CallCache, callKey } from '../../../src/downstream/routing/cache.js';
import { testRuntime } from '../../support/test-runtime.js';

it('keys are equal for equal arguments in any order, and differ for all others', () => {
  const key = callKey('a.b', { x: 1, y: { p: [1, 2], q: null } });
  expect(callKey('a.b', { y: { q: null, p: [1, 2] }, x: 1 })).toBe(key);
  expect(callKey('a.b', { x: 1, y: { p: [2, 1], q: null } })).not.toBe(key);
  expect(callKey('a.b', { x: '1', y: { p: [1, 2], q: null } })).not.toBe(key);
  expect(callKey('a.c', { x: 1, y: { p: [1, 2], q: null } })).not.toBe(key);
});

it('holds no more than its size, and drops the oldest first', async () => {
  const { db, clock } = await testRuntime();
  let now = clock.now();
  const cache = new CallCache({ db, clock: { ...clock, now: () => now } });
  const answer = { content: [{ type: 'text', text: 'x'.repeat(900_000) }] };
  for (let index = 0; index < 60; index++) {
    now += 1_000;
    cache.keep(`key ${index}`, 'a.b', answer);
  }
  await cache.flush();
  const row = await db.get<{ size: number; count: number }>(
    'select sum(size) as size, count(*) as count from tool_cache',
  );
  expect(row?.size).toBeLessThanOrEqual(50_000_000);
  expect(row?.count).toBeGreaterThan(50);
  expect(await cache.find('key 0', 1e9)).toBeUndefined();
  expect(await cache.find('key 59', 1e9)).toMatchObject({ ageMs: 0 });
});

it('an answer over a megabyte is not stored, and no row holds arguments', async () => {
  const { db, clock } = await testRuntime();
  const cache = new CallCache({ db, clock });
  cache.keep(callKey('a.b', { password: 'hunter2' }), 'a.b', { content: [] });
  cache.keep('long', 'a.b', { content: [{ type: 'text', text: 'x'.repeat(1_000_001) }] });
  await cache.flush();
  const rows = await db.all<Record<string, unknown>>('select * from tool_cache');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain('hunter2');
  expect(cache.hasUnwritten()).toBe(false);
});
