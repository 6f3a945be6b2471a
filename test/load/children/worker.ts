// Works on a board until it is empty: `worker DATABASE NAME LEASE_SECONDS WORK_MS`. Each task that is done is a line of
// stdout, written once it is stored; the report is the last one.
import { writeSync } from 'node:fs';
import { workUntilEmpty } from '../work-board.js';

const [file = '', worker = '', leaseSeconds = '', workMs = ''] = process.argv.slice(2);
const say = (line: string | number) => writeSync(1, `${line}\n`);
const report = await workUntilEmpty({
  file,
  worker,
  leaseSeconds: Number(leaseSeconds),
  workMs: Number(workMs),
  onDone: say,
});
say(JSON.stringify(report));
