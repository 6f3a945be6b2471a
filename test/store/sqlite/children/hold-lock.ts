// Opens the database FILE with SQLite itself, takes the lock that the statements after it take, and keeps it until told.
import { connect } from '../../../support/sqlite.js';
import { report, takeOrders } from './orders.js';

const [file = '', ...statements] = process.argv.slice(2);
const connection = connect(file, { timeout: 5_000 });
for (const statement of statements) {
  const prepared = connection.prepare(statement);
  if (prepared.reader) prepared.all();
  else prepared.run();
}
report('held');
await takeOrders().next();
connection.close();
report('released');
process.exit(0);
