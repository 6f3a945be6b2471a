// Drains the queue of plainjob in FILE, whose jobs do nothing; prints when it took the first and ended the last one.
import { better, defineQueue, defineWorker, JobStatus } from 'plainjob';
import { loadDriver } from '../../src/store/sqlite/driver.js';

const [file = '', add] = process.argv.slice(2);
const silent = { error() {}, warn() {}, info() {}, debug() {} };
// The same driver as ours, whose connections have the face of better-sqlite3.
const database = (await loadDriver()).connect(file) as unknown as Parameters<typeof better>[0];
const connection = better(database);
const queue = defineQueue({ connection, logger: silent });
if (add) {
  const addAll = connection.transaction(() => {
    for (let job = 0; job < Number(add); job++) queue.add('noop', { job });
  });
  addAll();
} else {
  let first: number | undefined;
  let last = 0;
  const worker = defineWorker('noop', async () => {}, {
    queue,
    logger: silent,
    pollIntervall: 5,
    onProcessing: () => {
      first ??= Date.now();
    },
    onCompleted: () => {
      last = Date.now();
    },
  });
  const work = worker.start();
  const watch = setInterval(() => {
    if (queue.countJobs({ status: JobStatus.Pending }) > 0) return;
    clearInterval(watch);
    worker.stop();
  }, 20);
  await work;
  console.log(JSON.stringify({ first: first ?? null, last }));
}
queue.close();
connection.close();
