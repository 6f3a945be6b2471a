import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { jobCli } from './jobs/job-cli.js';

it('a CSV file is imported, shown, learnt from and removed', async () => {
  const { run, home, dataDir } = jobCli();
  const file = join(home, 'flats.csv');
  const rows = Array.from(
    { length: 40 },
    (_, row) => `${row},${row % 2 ? 'old' : 'new'},${row > 20 ? 'dear' : 'cheap'}`,
  );
  writeFileSync(file, `size,state,price\n${rows.join('\n')}\n`);
  const imported = await run(['datasets', 'import', 'flats', file, '--target', 'price', '--ordinal', 'state=old,new']);
  expect([imported.stderr, imported.code]).toEqual(['', 0]);
  expect(imported.stdout.split('\n')).toEqual([
    'flats: 40 rows, 2 columns, 2 inputs',
    'classification of price: cheap, dear',
    'COLUMN  KIND     VALUES',
    'size    number   0 to 39',
    'state   ordinal  old, new',
    join(dataDir, 'datasets', 'flats', 'data.csv'),
    '',
  ]);
  expect((await run(['datasets', 'list', '--json'])).json()).toMatchObject({ count: 1, datasets: [{ name: 'flats' }] });
  const job = ['submit', '--type', 'ml_experiment', '--config', '{"dataset": "flats"}', '--wait', '--json'];
  const { result } = (await run(job)).json();
  expect(result).toMatchObject({ dataset: 'flats', train_size: 32, test_size: 8 });
  expect(result.final_accuracy).toBeGreaterThan(0.8);
  expect((await run(['datasets', 'remove', 'flats'])).stdout).toBe('Removed: flats\n');
  const gone = await run(['datasets', 'show', 'flats']);
  expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('No data set "flats" was imported.')]);
});
