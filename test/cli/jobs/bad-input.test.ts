import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomWalk, toCsv } from '../../agents/backtest/random-walk.js';
import { cifarBytes, idxBytes, writeMnist } from '../../agents/ml-experiment/synthetic.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { jobCli } from './job-cli.js';

const submit = (type: string, config: string, ...more: string[]) => [
  'submit',
  '--type',
  type,
  '--config',
  config,
  ...more,
];

describe('what is refused before anything is stored', () => {
  const home = makeTempDir();

  it.each([
    ['an unknown type', submit('ml', '{}'), 3, ['type ml', 'Known types:', 'ml_experiment', 'backtest', 'generic']],
    ['a type with a tool of its own', submit('llm', '{}'), 2, ['submit_background_task']],
    ['a payload without a field', submit('backtest', '{"ticker": "AAPL"}'), 2, ['strategy', 'agent-runtime agents']],
    ['NaN', submit('ml_experiment', '{"learning_rate": NaN}'), 2, ['--config is not JSON: line 1, column 19', "'NaN'"]],
    ['a number beyond all numbers', submit('ml_experiment', '{"learning_rate": 1e999}'), 2, ['learning_rate']],
    ['no epochs', submit('ml_experiment', '{"epochs": 0}'), 2, ['epochs', '>=1']],
    ['an unknown field', submit('ml_experiment', '{"epoch": 1}'), 2, ['"epoch"']],
    [
      'a path for a ticker',
      submit('backtest', '{"strategy": "momentum", "ticker": "../x"}'),
      2,
      ['"../x" is no ticker'],
    ],
    [
      'a ticker with a slash',
      submit('backtest', '{"strategy": "momentum", "ticker": "a/b"}'),
      2,
      ['"a/b" is no ticker'],
    ],
    [
      'a path for the second ticker',
      submit('backtest', '{"strategy": "arbitrage", "ticker": "A", "pair_ticker": "../../x"}'),
      2,
      ['"../../x" is no ticker'],
    ],
    [
      'a range that ends before it starts',
      submit(
        'backtest',
        '{"strategy": "momentum", "ticker": "A", "start_date": "2024-02-01", "end_date": "2024-01-01"}',
      ),
      2,
      ['2024-01-01 is before start_date 2024-02-01'],
    ],
    ['a file that is not there', submit('generic', 'nowhere.json'), 3, ['nowhere.json does not exist']],
    ['a directory for a file', submit('generic', '/tmp'), 2, ['/tmp cannot be read', 'EISDIR']],
    ['JSON cut short', submit('generic', '{"a": 1'), 2, ['--config is not JSON: line 1']],
    ['a list for a payload', submit('generic', '[1]'), 2, ['--config is JSON, but a list, not an object']],
    ['metadata that is a list', submit('generic', '{}', '--metadata', '[1]'), 2, ['--metadata is JSON, but a list']],
    ['metadata that is text', submit('generic', '{}', '--metadata', '"me"'), 2, ['--metadata is JSON, but a string']],
    [
      'metadata that is no JSON',
      submit('generic', '{}', '--metadata', '{user: 1}'),
      2,
      ['--metadata', 'line 1, column 2'],
    ],
    ['a priority out of range', submit('generic', '{}', '--priority', '11'), 2, ['priority']],
    ['a priority that is a word', submit('generic', '{}', '--priority', 'high'), 2, ['priority', '"high"']],
    ['a time without a zone', submit('generic', '{}', '--run-at', '2026-12-01 09:00'), 2, ['run_at']],
    ['a dependency that is not there', submit('generic', '{}', '--depends-on', 'b2f1'), 3, ['b2f1']],
    ['no time at all', submit('generic', '{}', '--timeout', '0'), 2, ['timeout_seconds']],
    ['a plot of an experiment', submit('ml_experiment', '{}', '--plot'), 2, ['ml_experiment do not draw a plot']],
    ['no payload', ['submit', '--type', 'generic'], 2, ['--config, --payload']],
    ['no type', ['submit', '--config', '{}'], 2, ['--type']],
    ['an unknown status to filter by', ['list-jobs', '--status-filter', 'done'], 2, ['pending, running, completed']],
    ['a limit of nothing', ['list-jobs', '--limit', '0'], 2, ['limit']],
    ['a schema of an unknown type', ['agents', '--type', 'ml'], 3, ['Known types:']],
  ] as const)('%s', async (_, args, code, words) => {
    const { run } = jobCli({ home });
    const end = await run([...args]);
    expect([end.code, end.stdout]).toEqual([code, '']);
    for (const word of words) expect(end.stderr).toContain(word);
    expect(end.stderr).toContain('hint:');
  });

  it('and no job is stored', async () => {
    expect((await jobCli({ home }).run(['list-jobs', '--json'])).json()).toEqual([]);
  });

  it('a file that is not JSON, with its path, line and column', async () => {
    const { run, put } = jobCli();
    const file = put('bad.json', '{\n  "model": "linear",\n  "epochs" 10\n}\n');
    const end = await run(submit('ml_experiment', file));
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(`${file} is not JSON: line 3, column 12:`);
  });

  it.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    const { run, put } = jobCli();
    const file = put('closed.json', '{}');
    chmodSync(file, 0);
    expect(await run(submit('generic', file))).toMatchObject({ code: 2, stderr: expect.stringContaining('EACCES') });
  });

  it('every command that changes data, in read-only mode', async () => {
    const { run, submit: submitted } = jobCli();
    const id = await submitted('generic', {});
    await run(['wait', '--job-id', id]);
    for (const args of [submit('generic', '{}'), ['cancel', '--job-id', id], ['retry', '--job-id', id]]) {
      const end = await run(['--read-only', ...args]);
      expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('only reading is allowed')]);
    }
    expect((await run(['--read-only', 'wait', '--job-id', id])).code).toBe(0);
    expect((await run(['--read-only', 'list-jobs'])).json()).toHaveLength(1);
  });
});

it.each(['status', 'cancel', 'wait', 'result', 'logs', 'retry'])(
  '%s of an unknown job is not found',
  async (command) => {
    const { run } = jobCli();
    const end = await run([command, '--job-id', 'b2f1c3d4']);
    expect([end.code, end.stdout]).toEqual([3, '']);
    expect(end.stderr).toContain('No background task or job has id b2f1c3d4');
    const asJson = await run([command, '--job-id', 'b2f1c3d4', '--json']);
    expect([asJson.code, asJson.json().error.code]).toEqual([3, 'not_found']);
  },
);

describe('an invalid file fails the job, which names the file and the place', () => {
  const momentum = { strategy: 'momentum', ticker: 'X', start_date: '2015-03-01', end_date: '2015-10-01' };
  const backtest = JSON.stringify(momentum);
  const mnist = JSON.stringify({ dataset: 'mnist', epochs: 1 });
  const cifar = JSON.stringify({ dataset: 'cifar10', epochs: 1 });

  async function failing(cli: ReturnType<typeof jobCli>, type: string, config: string) {
    const end = await cli.run(submit(type, config, '--wait', '--json'));
    expect(end.code).toBe(1);
    expect(end.json()).toMatchObject({ status: 'failed', result: null });
    return end.json().error;
  }

  it('missing prices', async () => {
    const cli = jobCli();
    const error = await failing(cli, 'backtest', backtest);
    expect(error.code).toBe('PRICE_DATA_NOT_FOUND');
    expect(error.message).toContain(`${join(cli.dataDir, 'prices', 'X.csv')} does not exist`);
    expect(error.message).toContain('agent-runtime prices import FILE --ticker X');
  });

  it('a range of one bar', async () => {
    const cli = jobCli();
    const file = cli.put('prices/X.csv', toCsv(randomWalk(1, 260)));
    const oneBar = { ...momentum, start_date: '2015-01-02', end_date: '2015-01-04' };
    const error = await failing(cli, 'backtest', JSON.stringify(oneBar));
    expect(error).toEqual({
      code: 'PRICE_RANGE_EMPTY',
      message: expect.stringContaining(
        `there is 1 bar; a backtest needs at least 2. ${file} has 2015-01-01 to 2015-12-30`,
      ),
    });
  });

  it('a ragged price file', async () => {
    const cli = jobCli();
    const file = cli.put('prices/X.csv', `${toCsv(randomWalk(1, 20))}2016-01-01,1,2\n`);
    const error = await failing(cli, 'backtest', backtest);
    expect(error).toEqual({ code: 'PRICE_FILE_INVALID', message: expect.stringContaining(`${file}, line 22:`) });
  });

  it.each([
    [
      'images cut short',
      'train-images-idx3-ubyte',
      idxBytes(0x803, [30, 8, 8], Buffer.alloc(30 * 64 - 1)),
      'cut short',
    ],
    [
      'a wrong magic',
      'train-labels-idx1-ubyte',
      idxBytes(0x1f8b, [30], Buffer.alloc(30)),
      'magic 0x00001f8b at offset 0',
    ],
    ['label 11', 'train-labels-idx1-ubyte', idxBytes(0x801, [30], Buffer.alloc(30, 11)), 'label 11 at offset 8'],
  ])('MNIST with %s', async (_, name, bytes, problem) => {
    const cli = jobCli();
    const file = cli.put(`mnist/${name}`, '');
    writeMnist(join(cli.dataDir, 'mnist'), 30, 20, 8);
    cli.put(`mnist/${name}`, bytes);
    const error = await failing(cli, 'ml_experiment', mnist);
    expect(error.code).toBe('DATASET_INVALID');
    expect(error.message).toContain(`${file}: `);
    expect(error.message).toContain(problem);
  });

  it('CIFAR-10 with half a record', async () => {
    const cli = jobCli();
    cli.put('cifar-10-batches-bin/test_batch.bin', cifarBytes(2, 6));
    const half = cifarBytes(2, 1).subarray(0, 3_073 + 1_537);
    const file = cli.put('cifar-10-batches-bin/data_batch_1.bin', half);
    const error = await failing(cli, 'ml_experiment', cifar);
    expect(error.code).toBe('DATASET_INVALID');
    expect(error.message).toContain(`${file}: 4610 bytes are 1 records of 3073 and 1537 bytes over`);
  });

  it('a missing data set', async () => {
    const cli = jobCli();
    const error = await failing(cli, 'ml_experiment', mnist);
    expect(error.code).toBe('DATASET_NOT_FOUND');
    expect(error.message).toContain(join(cli.dataDir, 'mnist'));
  });
});
