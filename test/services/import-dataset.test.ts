import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listOwn } from '../../src/agents/ml-experiment/own-datasets.js';
import { readOwn } from '../../src/agents/ml-experiment/own-table.js';
import { createRandom } from '../../src/agents/ml-experiment/random.js';
import { importDataset, removeDataset, showDataset } from '../../src/services/import-dataset.js';
import { submitJob } from '../../src/services/submit-job.js';
import { movingClock } from '../support/moving-clock.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const csv = 'height,kind\n1,low\n2,low\n8,high\n9,high\n1.5,low\n8.5,high\n';
const rules = { target: 'kind', categorical: [], ordinal: {}, ignore: [], missing: 'fill' } as const;

function folder() {
  const home = tempDir();
  const dataDir = join(home, 'data');
  const file = join(home, 'mine.csv');
  writeFileSync(file, csv);
  const clock = movingClock();
  const take = (change: object = {}) =>
    importDataset({ name: 'mine', file, rules, dataDir, mayReplace: false, clock, ...change });
  const read = () => {
    const rule = { testFraction: 0.34, limitTrain: undefined, limitTest: undefined };
    return readOwn(dataDir, 'mine', rule, createRandom(1));
  };
  return { dataDir, file, take, read, stored: join(dataDir, 'datasets', 'mine', 'data.csv') };
}

it('keeps a checked copy with its description, for its owner alone', async () => {
  const { dataDir, take, read, stored } = folder();
  const kept = await take();
  expect(kept).toMatchObject({ name: 'mine', task: 'classification', classes: ['high', 'low'], rows: 6, inputs: 1 });
  expect(showDataset(dataDir, 'mine')).toEqual(kept);
  expect(listOwn(dataDir)).toEqual([kept]);
  expect(readFileSync(stored, 'utf8')).toBe(csv);
  expect([stored, join(stored, '..')].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700]);
  expect(readdirSync(join(dataDir, 'datasets'))).toEqual(['mine']);
  const data = read();
  expect([data.train.count, data.test.count, data.source]).toEqual([4, 2, `${stored}, 6 rows, sha256 ${kept.sha256}`]);
});

it('notices a file that was changed or deleted after its import', async () => {
  const { dataDir, take, read, stored } = folder();
  await take();
  writeFileSync(stored, csv.replace('9,high', '9,low'));
  expect(read).toThrow(expect.objectContaining({ code: 'DATASET_CHANGED' }));
  expect(listOwn(dataDir)).toEqual([
    { name: 'mine', problem: expect.stringContaining('was changed after its import') },
  ]);
  await take({ mayReplace: true });
  expect(read().train.count).toBe(4);
});

it('replaces only when asked, and never by a file that fails the check', async () => {
  const { take, file, stored, dataDir } = folder();
  await take();
  await expect(take()).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('--force') });
  writeFileSync(file, csv.replace('\n8,', '\nx,'));
  await expect(take({ mayReplace: true })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(`${file}, line 4: column 1 (height) is "x"`),
  });
  expect(readFileSync(stored, 'utf8')).toBe(csv);
  expect(readdirSync(join(dataDir, 'datasets'))).toEqual(['mine']);
});

it.each([
  ['a bad name', { name: '../x' }, 'invalid'],
  ['a name of the program', { name: 'mnist' }, 'conflict'],
  ['a file that is not there', { file: '/nowhere/x.csv' }, 'not_found'],
  ['a device', { file: '/dev/zero' }, 'invalid'],
])('refuses %s and stores nothing', async (_, change, code) => {
  const { take, dataDir } = folder();
  await expect(take(change)).rejects.toMatchObject({ name: 'RuntimeError', code });
  expect(() => readdirSync(dataDir)).toThrow('ENOENT');
});

it('removes a data set, and says when there is none', async () => {
  const { dataDir, take } = folder();
  await take();
  removeDataset(dataDir, 'mine');
  expect(listOwn(dataDir)).toEqual([]);
  expect(() => removeDataset(dataDir, 'mine')).toThrow('No data set "mine" was imported.');
  expect(() => showDataset(dataDir, '../mine')).toThrow('No data set "../mine" was imported.');
});

it('a job names its data set when it is submitted: a misspelt one is refused with those there are', async () => {
  const runtime = await testRuntime();
  const { dataDir } = runtime.config;
  const file = join(runtime.home, 'mine.csv');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, 'a,price\n1,1.5\n2,2.5\n3,3.5\n4,4.5\n');
  const price = { ...rules, target: 'price' };
  await importDataset({
    name: 'prices-of-flats',
    file,
    rules: price,
    dataDir,
    mayReplace: false,
    clock: runtime.clock,
  });
  const submit = (payload: { dataset: string; model?: string }) =>
    submitJob({ type: 'ml_experiment', payload }, { holder: null, project: '' }, runtime);
  await expect(submit({ dataset: 'flats' })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('There is no data set "flats". Known: iris, mnist, cifar10, prices-of-flats'),
  });
  await expect(submit({ dataset: 'prices-of-flats', model: 'svm' })).rejects.toMatchObject({ code: 'invalid' });
  await expect(submit({ dataset: 'No Name' })).rejects.toMatchObject({ code: 'invalid' });
  expect(await runtime.jobs.list({ limit: 10 })).toEqual([]);
});
