// Claims and completes tasks until none is ready: `postgres-worker URL COUNT MODE`. Prints what it did, and with how much CPU, as JSON.
import { systemClock } from '../../src/base/clock.js';
import { silentLog } from '../../src/base/log.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import { openPostgres } from '../../src/store/postgres/open.js';

const [url = '', seconds = '1', mode = ''] = process.argv.slice(2);
const db = await openPostgres({ url, log: silentLog, alwaysAlone: mode === 'alone' });
const board = createTaskBoard({ db, clock: systemClock() });
const actor = { holder: `session:${process.pid}`, project: '' };
const done: number[] = [];
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const before = process.cpuUsage();
const until = performance.now() + Number(seconds) * 1000;
while (performance.now() < until) {
  const task = await board.claimNext({}, {}, actor);
  if (!task) break;
  await board.updateStatus({ task: task.id, status: 'completed', result: 'done', claimToken: task.claimToken }, actor);
  done.push(task.id);
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ done, cpuMs: (user + system) / 1000 })}\n`);
// Until the server's side has been read.
await new Promise((resolve) => process.stdin.once('data', resolve));
db.close();
process.stdin.destroy();
