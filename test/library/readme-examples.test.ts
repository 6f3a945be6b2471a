import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { toCsv } from '../agents/backtest/random-walk.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { consumer, readmeBlocks } from './consumer.js';

const [program = '', tracker = '', backtester = ''] = readmeBlocks('src/library/README.md', 'Embedding', 'ts');

/** Its payload is as its schema makes it, not as it comes in. */
const typedAgent = `
  import { defineAgent, defineProvider } from 'agent-runtime-mcp';
  import { z } from 'zod';
  export default defineAgent({
    type: 'typed',
    description: 'Has a payload with types.',
    payload: z.object({ text: z.string().transform((text) => text.length), least: z.int().default(1) }),
    async execute({ payload }, { dependencies, signal }) {
      const length: number = payload.text;
      const least: number = payload.least;
      // @ts-expect-error There is no such field.
      payload.most;
      const [before] = await dependencies();
      return { length, least, before: before?.result ?? null, isCancelled: signal.aborted };
    },
  });
  export const provider = defineProvider({ complete: async ({ prompt }) => ({ text: prompt }) });`;

it('the examples of the README compile strictly against the published declarations', async () => {
  const files = { 'program.ts': program, 'tracker.ts': tracker, 'backtester.ts': backtester, 'agent.ts': typedAgent };
  expect(await consumer().compile(files)).toBe('');
});

it('the program that embeds the runtime runs a job to its end', async () => {
  const last = program.replace('console.log((await', 'console.log(JSON.stringify(await').replace(').result)', '))');
  const { status, result } = await consumer().run('program.js', last);
  expect(status).toBe('completed');
  expect(result.experiment_id).toMatch(/^exp_/);
});

it('the ML experiment tracker returns the results of an experiment', async () => {
  const user = `${tracker}
    import { openRuntime } from 'agent-runtime-mcp';
    const runtime = await openRuntime();
    const tracker = new MLExperimentTracker(runtime);
    const results = await tracker.getResults(await tracker.runExperiment({ model: 'linear', dataset: 'iris', epochs: 3 }));
    const failed = await tracker
      .runExperiment({ model: 'linear', dataset: 'mnist', epochs: 1 })
      .then((id) => tracker.getResults(id))
      .catch((error) => error.message);
    runtime.close();
    console.log(JSON.stringify({ results, failed }));`;
  const { results, failed } = await consumer().run('tracker.js', user);
  expect(results).toMatchObject({ model_type: 'linear', dataset: 'iris', epochs: 3 });
  expect(results.training_history).toHaveLength(3);
  expect(failed).toMatch(/ is failed: .*mnist/s);
});

it('the backtester compares strategies on one ticker', async () => {
  const project = consumer();
  const prices = join(project.home, '.claude', 'agent_runtime', 'prices');
  mkdirSync(prices, { recursive: true });
  writeFileSync(join(prices, 'AAPL.csv'), pricesOf2023());
  const user = `${backtester}
    import { openRuntime } from 'agent-runtime-mcp';
    const runtime = await openRuntime();
    const compared = await new QuantitativeBacktester(runtime).compare('AAPL', ['momentum', 'mean_reversion']);
    runtime.close();
    console.log(JSON.stringify([...compared]));`;
  const compared = await project.run('backtester.js', user);
  expect(compared).toMatchObject([
    ['momentum', { status: 'completed', result: { strategy: 'momentum', ticker: 'AAPL', initial_capital: 100_000 } }],
    ['mean_reversion', { status: 'completed', result: { strategy: 'mean_reversion', ticker: 'AAPL' } }],
  ]);
});

it('the agent of the README does its work from where it is said to lie', async () => {
  const [agent = ''] = readmeBlocks('src/agents/README.md', 'Writing an agent', 'js');
  const home = tempDir();
  mkdirSync(join(home, '.claude', 'agents'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agents', 'count-words.mjs'), agent);
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), '{"agents": ["./agents/count-words.mjs"]}');
  const server = await connectServer({ home });
  const submit = async (text: string) => {
    const { job_id } = await server.ok('submit_job', { type: 'count_words', payload: { text } });
    await server.ok('wait_for_tasks', { task_ids: [job_id] });
    return server.ok('get_job_status', { job_id });
  };
  const counted = await submit('To be, or not to be');
  expect(counted).toMatchObject({ status: 'completed', result: { words: 6, different: 4 } });
  expect(JSON.parse(readFileSync(counted.artifacts[0].path, 'utf8'))).toEqual({ to: 2, be: 2, or: 1, not: 1 });
  expect(await submit('1 2 3')).toMatchObject({ status: 'failed', error: { code: 'no_words' } });
  expect((await server.call('submit_job', { type: 'count_words', payload: {} })).data.message).toContain('text');
});

it('the commands of the README are a config file', () => {
  const path = join(tempDir(), 'config.json');
  writeFileSync(path, readmeBlocks('src/agents/README.md', 'Allowing commands', 'json')[0] ?? '');
  const { commands } = readConfig({ config: path }, { HOME: '/home/me' });
  expect(commands.get('release-notes')).toMatchObject({ program: 'git', cwd: '/home/me/work/api' });
  const [pattern] = [commands.get('release-notes')?.allowArgs ?? ''].flat();
  expect('v1.2.0..').toMatch(new RegExp(`^(?:${pattern})$`));
});

/** A year of weekdays that rises and falls. */
function pricesOf2023(): string {
  const bars = Array.from({ length: 365 }, (_, day) => new Date(Date.UTC(2023, 0, 1 + day)))
    .filter((date) => date.getUTCDay() % 6 !== 0)
    .map((date, index) => ({
      date: date.toISOString().slice(0, 10),
      close: 100 + index / 5 + 10 * Math.sin(index / 9),
    }));
  return toCsv(bars.map(({ date, close }) => ({ date, open: close, high: close, low: close, close })));
}
