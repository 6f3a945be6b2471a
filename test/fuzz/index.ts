import { parseArgs } from 'node:util';
import { copyDist, mainOf } from '../support/dist-copy.js';
import { problemsOfDatabase } from '../support/whole-database.js';
import { Findings, shorten } from './findings.js';
import { makeHome } from './home.js';
import { fuzzCli } from './over-cli.js';
import { fuzzHttp } from './over-http.js';
import { fuzzStdio } from './over-stdio.js';

// npm run fuzz -- --seed N --calls M [--http M] [--cli M]: M calls over stdio, and by default a fiftieth of them over
// HTTP and a thousandth by the command line. Exits with 1 when anything was found.
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    calls: { type: 'string', default: '20000' },
    http: { type: 'string' },
    cli: { type: 'string' },
  },
});
const seed = Number(values.seed);
const calls = Number(values.calls);
const counts = {
  stdio: calls,
  http: Number(values.http ?? Math.ceil(calls / 50)),
  cli: Number(values.cli ?? Math.ceil(calls / 1_000)),
};
const dist = copyDist('fuzz-dist');
const main = mainOf(dist.path);
const findings = new Findings();
const home = await makeHome();
try {
  const stdio = await fuzzStdio({ main, seed, calls: counts.stdio }, home, findings);
  console.log('over stdio', rounded(stdio));
  console.log('over HTTP', rounded(await fuzzHttp({ main, seed: seed + 1, calls: counts.http }, home, findings)));
  console.log('by the CLI', rounded(await fuzzCli({ main, seed: seed + 2, calls: counts.cli }, home, findings)));
  for (const problem of await problemsOfDatabase(home.database)) {
    findings.add(problem, { method: 'the database afterwards', params: {} });
  }
} finally {
  await home.close();
  dist.remove();
}
for (const { problem, message, count } of findings.list()) {
  console.log(`\n${count} times: ${problem}\n  first by ${shorten(message)}`);
}
console.log(`\nseed ${seed}: ${findings.list().length} findings`);
process.exitCode = findings.list().length === 0 ? 0 : 1;

function rounded(figures: object): object {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : value]),
  );
}
