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

/** Resolves to false when no task is left. */
async function doOne(): Promise<boolean> {
  const task = await board.claimNext({}, {}, actor);
  if (!task) return false;
  await board.updateStatus({ task: task.id, status: 'completed', result: 'done', claimToken: task.claimToken }, actor);
  done.push(task.id);
  return true;
}

// A worker lives for hours; how long its code takes to be compiled is not the question.
for (let warm = 0; warm < 100; warm++) await doOne();
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const before = process.cpuUsage();
const doneBefore = done.length;
const until = performance.now() + Number(seconds) * 1000;
while (performance.now() < until && (await doOne()));
const { user, system } = process.cpuUsage(before);
const report = { done, measured: done.length - doneBefore, cpuMs: (user + system) / 1000 };
process.stdout.write(`${JSON.stringify(report)}\n`);
// Until the server's side has been read.
await new Promise((resolve) => process.stdin.once('data', resolve));
db.close();
process.stdin.destroy();
