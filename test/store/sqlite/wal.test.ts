import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore, recordingLog } from '../open-store.js';
import { startTalking } from './talk.js';

const mb = 1024 * 1024;

test('a WAL that grew while another process was reading is reported, and truncated once that reader is done', async () => {
  const log = recordingLog();
  const db = await openStore({ log });
  const walBytes = () => statSync(`${db.location}-wal`).size;
  const write = async (times: number, length: number) => {
    for (let time = 0; time < times; time++) {
      await db.transaction((sql) => sql.run('insert into notes (text) values (?)', 'x'.repeat(length)));
    }
  };
  const reader = await startTalking('hold-lock', [db.location, 'begin', 'select * from counters']);
  await reader.nextLine();
  await write(1_000, 66_000);
  expect(walBytes()).toBeGreaterThan(64 * mb);
  expect(log.lines).toEqual(['warn: the write-ahead log stays long while another process goes on reading']);

  reader.tell('let go');
  await reader.ended;
  await write(1_000, 1);
  expect(walBytes()).toBeLessThan(8 * mb);
  expect(log.lines).toHaveLength(1);
  expect(await db.check()).toBeUndefined();
});
