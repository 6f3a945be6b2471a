import { expect, it } from 'vitest';
import { z } from 'zod';
import { newJobId } from '../../src/base/ids.js';

it('ids of jobs are UUIDs, differ, and those made one after the other are neighbours', () => {
  const ids = Array.from({ length: 2_000 }, newJobId);
  for (const id of ids) expect(z.uuid().safeParse(id).success).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  // Once in 71 minutes the time of the first part begins anew.
  const descents = ids.slice(1).filter((id, index) => id.slice(0, 8) < (ids[index] ?? '').slice(0, 8));
  expect(descents.length).toBeLessThanOrEqual(1);
});
