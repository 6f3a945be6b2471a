import { expect, it, onTestFinished } from 'vitest';
import { mainEntry } from '../support/paths.js';
import { problemsOfDatabase } from '../support/whole-database.js';
import { Findings } from './findings.js';
import { makeHome } from './home.js';
import { fuzzCli } from './over-cli.js';
import { fuzzHttp } from './over-http.js';
import { fuzzStdio } from './over-stdio.js';

const seed = 20_261_121;

/** `npm run fuzz` does the same for longer, with any seed. */
it('whatever is asked of every tool is answered by its id with words, and the database stays whole', async () => {
  const home = await makeHome();
  onTestFinished(() => home.close());
  const findings = new Findings();
  const main = mainEntry;
  await Promise.all([
    fuzzStdio({ main, seed, calls: 1_500, isBrief: true }, home, findings),
    fuzzHttp({ main, seed: seed + 1, calls: 150, isBrief: true }, home, findings),
    fuzzCli({ main, seed: seed + 2, calls: 4, isBrief: true }, home, findings),
  ]);
  expect(findings.list()).toEqual([]);
  expect(await problemsOfDatabase(home.database)).toEqual([]);
}, 60_000);
