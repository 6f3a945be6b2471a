// At the instant that it is told, adds 1 to the counter of FILE, TIMES times, each by reading it and writing what it read plus one.
import { silentLog } from '../../../../src/base/log.js';
import { loadDriver } from '../../../../src/store/sqlite/driver.js';
import { openDatabase } from '../../../../src/store/sqlite/open.js';
import { testTables } from '../../test-tables.js';
import { report, takeOrders, waitUntil } from './orders.js';

const [file = '', times = '0'] = process.argv.slice(2);
const db = await openDatabase({
  file,
  backupDir: `${file}.backups`,
  log: silentLog,
  now: Date.now,
  steps: [testTables],
});
report(`ready with ${(await loadDriver()).name}`);
waitUntil(Number((await takeOrders().next()).value));
for (let time = 0; time < Number(times); time++) {
  await db.transaction(async (sql) => {
    const row = await sql.get<{ value: number }>("select value from counters where name = 'a'");
    await sql.run("update counters set value = ? where name = 'a'", (row?.value ?? 0) + 1);
  });
}
db.close();
process.exit(0);
