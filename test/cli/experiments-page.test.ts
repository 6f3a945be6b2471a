import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomWalk, toCsv } from '../agents/backtest/random-walk.js';
import { eventually } from '../support/eventually.js';
import { projectRoot } from '../support/paths.js';
import { jobCli } from './jobs/job-cli.js';

const page = readFileSync(join(projectRoot, 'docs', 'experiments.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);

/** The words of a command line, quotes taken off. */
const wordsOf = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

it('the commands of the page work, one after the other', async () => {
  const { run, home } = jobCli();
  const [csv = ''] = blocks('csv');
  writeFileSync(join(home, 'flats.csv'), csv);
  for (const [seed, ticker] of ['aapl', 'msft', 'spy'].entries()) {
    writeFileSync(join(home, `${ticker}.csv`), toCsv(randomWalk(seed + 1, 260)));
  }
  const lines = blocks('sh').flatMap((block) => block.trim().split('\n'));
  expect(lines.length).toBeGreaterThan(8);
  let sweep = 'SWEEP';
  const ends: { line: string; stdout: string }[] = [];
  for (const line of lines) {
    const [program, ...words] = wordsOf(line);
    expect(program).toBe('agent-runtime');
    const args = words.map((word) => (word === 'SWEEP' ? sweep : /^\w+\.csv$/.test(word) ? join(home, word) : word));
    const end = await run(args);
    expect([line, end.code, end.stderr]).toEqual([line, 0, expect.not.stringContaining('rror')]);
    ends.push({ line, stdout: end.stdout });
    const submitted = /sweep-\w+/.exec(end.stdout)?.[0];
    if (!line.includes('--grid') || submitted === undefined) continue;
    sweep = submitted;
    await eventually('the sweep has ended', async () => {
      const { jobs } = (await run(['compare', sweep, '--json'])).json();
      return jobs.every(({ status }: { status: string }) => status === 'completed');
    });
  }
  const printedBy = (part: string) => ends.find(({ line }) => line.includes(part))?.stdout ?? '';
  expect(JSON.parse(printedBy('--figure test.macro_f1'))).toMatchObject({
    total: 2,
    figures: [{ name: 'test.macro_f1' }, {}],
  });
  expect(JSON.parse(printedBy('relative.information_ratio'))).toMatchObject({
    total: 1,
    jobs: [{ status: 'completed', figures: { 'relative.information_ratio': expect.any(Number) } }],
  });
});
