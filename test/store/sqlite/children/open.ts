// Opens a database at each order `INSTANT FILE`, and says how that went; closes it at the next order.
// With the argument `next-version` it knows one more migration than this program has.
import { silentLog } from '../../../../src/base/log.js';
import type { Database } from '../../../../src/store/sql.js';
import { openDatabase } from '../../../../src/store/sqlite/open.js';
import { withNextVersion } from '../next-version.js';
import { report, takeOrders, waitUntil } from './orders.js';

const steps = process.argv.includes('next-version') ? { steps: withNextVersion } : {};
const orders = takeOrders();
let db: Database | undefined;
report('ready');
for (let order = await orders.next(); !order.done; order = await orders.next()) {
  db?.close();
  db = undefined;
  const [instant, file = ''] = order.value.split(' ', 2);
  waitUntil(Number(instant));
  const startedAt = performance.now();
  try {
    db = await openDatabase({ file, backupDir: `${file}.backups`, log: silentLog, now: Date.now, ...steps });
    report({ ms: performance.now() - startedAt, goals: await db.get('select count(*) as count from goals') });
  } catch (error) {
    report({ error: String(error) });
  }
}
db?.close();
