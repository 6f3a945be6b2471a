// Writes to FILE as WRITER until it is killed, forcing checkpoints, and prints a number once its commit is done.
// Each transaction adds a note `WRITER NUMBER` and moves 1 between the two counters, whose sum therefore stays.

import { silentLog } from '../../../src/base/log.js';
import { openDatabase } from '../../../src/store/open.js';
import { connect } from '../../support/sqlite.js';
import { testTables } from '../test-tables.js';
import { report } from './orders.js';

const [file = '', writer = ''] = process.argv.slice(2);
const db = await openDatabase({
  file,
  backupDir: `${file}.backups`,
  log: silentLog,
  now: Date.now,
  steps: [testTables],
});
const checkpointer = connect(file, { timeout: 20 });
for (let number = 1; ; number++) {
  await db.transaction(async (sql) => {
    await sql.run("update counters set value = value + 1 where name = 'a'");
    await sql.run('insert into notes (text) values (?)', `${writer} ${number}`.padEnd(number % 3000, '.'));
    await sql.run("update counters set value = value - 1 where name = 'b'");
  });
  // A pipe takes it at once: what the test has read was committed before.
  report(String(number));
  if (number % 20 === 0) checkpointer.pragma(`wal_checkpoint(${number % 40 === 0 ? 'truncate' : 'passive'})`);
}
