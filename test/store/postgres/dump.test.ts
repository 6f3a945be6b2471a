import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { restorePostgres } from '../../../src/store/postgres/open.js';
import { postgresPort } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { notesIn } from '../open-store.js';
import { openPostgresStore } from './open-postgres.js';

describe.runIf(postgresPort)('a backup of a PostgreSQL database', () => {
  test('is private, and brings back what there was when it was made, also for who is connected', async () => {
    const db = await openPostgresStore();
    const other = await openPostgresStore({ url: db.url });
    await db.run("insert into notes (text) values ('kept')");
    const path = join(tempDir(), 'backups', `one${db.backupExtension}`);
    await db.backup(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await db.run("insert into notes (text) values ('later')");
    expect(await notesIn(other)).toEqual(['kept', 'later']);

    await restorePostgres(db.url, path);
    expect(await notesIn(other)).toEqual(['kept']);
    await other.run("insert into notes (text) values ('next')");
    expect(await db.all('select id, text from notes order by id')).toEqual([
      { id: 1, text: 'kept' },
      { id: 2, text: 'next' },
    ]);
  });

  test('does not write over a file', async () => {
    const db = await openPostgresStore();
    const path = join(tempDir(), 'one.dump');
    await db.backup(path);
    await expect(db.backup(path)).rejects.toMatchObject({ code: 'conflict' });
  });
});
