import { measureBackground } from './background.js';
import { measureClaims } from './claims.js';
import { measureDashboard } from './dashboard.js';
import { measureJobs } from './jobs.js';
import { measureLargeBoard } from './large-board.js';
import { measureManyServers } from './many-servers.js';
import { measurePostgres } from './postgres.js';
import { type Figure, measureBoards, measureProtocol } from './protocol.js';
import { measureSharedCalls } from './shared-calls.js';
import { measureToolCalls } from './tool-calls.js';

// Ratios of one run on one machine: absolute times change with the machine and with what else it does.
const figures: Figure[] = [
  ...(await measureProtocol()),
  ...(await measureBoards()),
  ...(await measureClaims()),
  ...(await measurePostgres()),
  ...(await measureBackground()),
  ...(await measureJobs()),
  ...(await measureDashboard()),
  ...(await measureToolCalls()),
  await measureManyServers(),
  ...(await measureSharedCalls()),
  // It takes minutes to fill.
  ...(process.argv.includes('--large') ? await measureLargeBoard() : []),
];

console.log('| what | ours | reference | ratio | aim |');
console.log('|---|---|---|---|---|');
for (const { what, ours, reference, ratio, aim } of figures) {
  console.log(`| ${what} | ${ours} | ${reference} | ${ratio === undefined ? '' : ratio.toFixed(2)} | ${aim} |`);
}
