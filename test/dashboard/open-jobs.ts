import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RuntimeError } from '../../src/base/errors.js';
import { hasEnded } from '../../src/core/jobs/job.js';
import { randomWalk, toCsv } from '../agents/backtest/random-walk.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import type { ModelServer, ModelServerOptions, Script } from '../fixtures/models/scripted-server.js';
import { eventually } from '../support/eventually.js';
import { type OpenedPage, openPage } from './open-page.js';

export interface OpenedJobs extends OpenedPage {
  /** Claude as the runners know it. */
  models: ModelServer;
  /** Calls a tool as a program does; resolves to its result. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by asserting it.
  call(tool: string, args?: Record<string, unknown>): Promise<any>;
  /** Submits a prompt that makes the model act by a script; resolves to the job's id. */
  ask(prompt: string, script?: Script): Promise<string>;
  ended(id: string): Promise<void>;
}

/** The page over a runtime whose jobs are run by real runners, with a local server in the model's place. */
export async function openJobs(path: string, model: ModelServerOptions = {}, home?: string): Promise<OpenedJobs> {
  const models = await startAnthropicServer(model);
  onTestFinished(() => models.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: models.url };
  const opened = await openPage(path, {}, { env, ...(home ? { home } : {}) });
  const { runtime, send } = opened;
  onTestFinished(async () => {
    // No runner outlives the test.
    for (const { id } of await runtime.jobs.list({ limit: 100 })) {
      await runtime.jobs.cancel(id, { holder: null, project: '' }).catch(unlessEnded);
    }
    await eventually('the runners have left', async () => {
      const left = await runtime.db.all("select 1 from runners where state in ('starting', 'running', 'waiting')");
      return left.length === 0;
    });
  });

  const call = async (tool: string, args: Record<string, unknown> = {}) => {
    const reply = await send('POST', `/api/tools/${tool}`, { body: JSON.stringify(args) });
    if (reply.status !== 200) throw new Error(`${tool}: ${reply.text}`);
    return reply.data;
  };
  return {
    ...opened,
    models,
    call,
    async ask(prompt, script) {
      const order = script ? ` [[model ${JSON.stringify(script)}]]` : '';
      return (await call('submit_background_task', { task_description: `${prompt}${order}` })).task_id;
    },
    ended: (id) =>
      eventually(`job ${id} ends`, async () => hasEnded(await runtime.jobs.status(id))).then(() => undefined),
  };
}

/** A job that has completed or failed needs no cancelling, also if that was a moment ago. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof RuntimeError && error.code === 'conflict')) throw error;
}

/** A price file of a year and a half, so that a backtest has something to trade. */
export function writePrices(dataDir: string, ticker: string): void {
  mkdirSync(join(dataDir, 'prices'), { recursive: true });
  writeFileSync(join(dataDir, 'prices', `${ticker}.csv`), toCsv(randomWalk(7, 400)));
}
