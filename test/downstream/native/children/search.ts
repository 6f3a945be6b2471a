// Makes the given number of arXiv searches at once, in a process of its own.
import { systemClock } from '../../../../src/base/clock.js';
import { reportError } from '../../../../src/base/errors.js';
import { silentLog } from '../../../../src/base/log.js';
import { readConfig } from '../../../../src/config.js';
import { searchArxiv } from '../../../../src/downstream/native/search-arxiv.js';
import { openDatabase } from '../../../../src/store/sqlite/open.js';

const [name = '', times = '1'] = process.argv.slice(2);
const config = readConfig();
const clock = systemClock();
const db = await openDatabase({ file: config.dbPath, backupDir: config.dataDir, log: silentLog, now: clock.now });
const context = { signal: new AbortController().signal, db, clock, log: silentLog, settings: config.native };
const searches = Array.from({ length: Number(times) }, (_, index) =>
  searchArxiv.execute(searchArxiv.input.parse({ query: `${name} ${index}` }), context).catch(reportError),
);
process.stdout.write(JSON.stringify(await Promise.all(searches)));
db.close();
