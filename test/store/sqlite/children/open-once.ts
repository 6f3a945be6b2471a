// Opens the database FILE and prints what any face would show of the failure.
import { reportError } from '../../../../src/base/errors.js';
import { silentLog } from '../../../../src/base/log.js';
import { openDatabase } from '../../../../src/store/sqlite/open.js';
import { report } from './orders.js';

const [file = ''] = process.argv.slice(2);
try {
  const db = await openDatabase({ file, backupDir: `${file}.backups`, log: silentLog, now: Date.now });
  db.close();
  report({});
} catch (error) {
  report(reportError(error));
}
