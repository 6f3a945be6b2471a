// Works on a board until it is empty: `worker DATABASE NAME LEASE_SECONDS WORK_MS`. Each task that is done is a line of
// stdout, written once it is stored; the report is the last one.
import { writeSync } from 'node:fs';
import { workUntilEmpty } from '../work-board.js';

const [database = '', worker = '', leaseSeconds = '', workMs = ''] = process.argv.slice(2);
const say = (line: string | number) => writeSync(1, `${line}\n`);
const report = await workUntilEmpty({
  database,
  worker,
  leaseSeconds: Number(leaseSeconds),
  workMs: Number(workMs),
  onDone: say,
});
say(JSON.stringify(report));
