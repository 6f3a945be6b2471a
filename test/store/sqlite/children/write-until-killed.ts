// Writes to FILE as WRITER until it is killed, forcing checkpoints, and prints a number once its commit is done.
// Each transaction adds a note `WRITER NUMBER` and moves 1 between the two counters, whose sum therefore stays.

import { writeSync } from 'node:fs';
import { silentLog } from '../../../../src/base/log.js';
import { openDatabase } from '../../../../src/store/sqlite/open.js';
import { connect } from '../../../support/sqlite.js';
import { testTables } from '../../test-tables.js';

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
  announce(number);
  if (number % 20 === 0) checkpointer.pragma(`wal_checkpoint(${number % 40 === 0 ? 'truncate' : 'passive'})`);
}

/**
 * Returns when the pipe has it, so that at most one commit is unannounced. process.stdout would keep back what a full
 * pipe does not take, and a loop that only awaits commits never gets to send it.
 */
function announce(number: number): void {
  for (;;) {
    try {
      writeSync(1, `${number}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}
