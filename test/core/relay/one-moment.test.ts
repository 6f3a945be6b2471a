import { expect, it } from 'vitest';
import { readPipeline } from '../../../src/core/relay/relays.js';
import type { Sql } from '../../../src/store/sql.js';
import { relay } from './relay.js';

it('a relay that goes on while it is read is shown as it is at one moment', async () => {
  const { db, id, advance } = await relay();
  await advance();
  await advance();
  let reads = 0;
  // The last step ends between the first statement and the second.
  const sql: Sql = {
    ...db,
    all: async (text, ...values) => {
      if (++reads === 1) await advance();
      return db.all(text, ...values);
    },
    get: (text, ...values) => db.get(text, ...values),
  };
  const { pipeline, results, progressPercent, batons } = await readPipeline(sql, id);
  expect(pipeline).toMatchObject({ status: 'completed' });
  expect([results.length, progressPercent, batons]).toEqual([3, 100, []]);
});
