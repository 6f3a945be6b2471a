import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/base/json.js';
import { contextOf, runTool } from '../../../src/tools/call/run-tool.js';
import { findTool } from '../../../src/tools/index.js';
import { testRuntime } from '../../support/test-runtime.js';
import { session } from './queue.js';

const experiment = {
  model: 'linear',
  history: [{ epoch: 1, train_loss: 0.5, train_accuracy: 0.9, seconds: 0.1 }],
};
const regression = { model: 'linear', history: [{ epoch: 1, train_loss: 0.5, seconds: 0.1 }] };
const backtest = { final_equity: 110, cagr: 0.1, sharpe: 1.5, trades: 2, equity_curve: [['2024-01-01', 110]] };

const secondOf = {
  experiment: { model_type: 'linear', training_history: [{ epoch: 1, loss: 0.5, accuracy: 0.9 }] },
  regression: { model_type: 'linear', training_history: [{ epoch: 1, loss: 0.5 }] },
  backtest: {
    final_value: 110,
    annualized_return: 0.1,
    sharpe_ratio: 1.5,
    num_trades: 2,
    portfolio_values: [{ date: '2024-01-01', value: 110 }],
  },
};

/** A runtime with a job of a type that has ended with a result. */
async function withResult(type: string, result: Json) {
  const runtime = await testRuntime();
  const { job } = await runtime.jobs.submit({ type, payload: {}, runAt: Date.parse('2099-01-01') }, session);
  await runtime.db.run("update jobs set status = 'completed', result = ? where id = ?", JSON.stringify(result), job.id);
  const show = async (input: JsonObject = {}) =>
    (await runTool(findTool('get_job_status'), { job_id: job.id, ...input }, contextOf(runtime, session))) as {
      result: Json;
    };
  return { runtime, id: job.id, show };
}

describe('a stored result', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['ml_experiment', experiment, secondOf.experiment],
    ['ml_experiment', regression, secondOf.regression],
    ['backtest', backtest, secondOf.backtest],
  ])(
    'of %s has everything once, and is read with the names of the earlier job server too',
    async (type, stored, second) => {
      const { runtime, id, show } = await withResult(type, stored);
      const whole = { ...stored, ...second };
      expect((await runtime.jobs.get(id)).result).toEqual(whole);
      expect((await runtime.jobs.results([id])).get(id)).toEqual(whole);
      expect((await show()).result).toEqual(stored);
      expect((await show({ fields: Object.keys(second) })).result).toEqual(second);
    },
  );

  it('of an earlier release, which has both, is read as it is, and shown once', async () => {
    const old = { ...backtest, ...secondOf.backtest, sharpe_ratio: 1.4 };
    const { runtime, id, show } = await withResult('backtest', old);
    expect((await runtime.jobs.get(id)).result).toEqual(old);
    expect((await show()).result).toEqual(backtest);
  });

  it.each<[string, Json]>([
    ['another_type', { ...backtest, sharpe_ratio: 'its own' }],
    ['backtest', null],
    ['backtest', 'a text'],
    ['backtest', { strategy: 'momentum', final_value: 7 }],
    ['ml_experiment', { history: 'none' }],
  ])('of %s that has no such figures stays as it is: %j', async (type, result) => {
    const { show, runtime, id } = await withResult(type, result);
    const more = type === 'ml_experiment' ? { training_history: 'none' } : {};
    const whole = typeof result === 'object' && result !== null ? { ...result, ...more } : result;
    expect((await runtime.jobs.get(id)).result).toEqual(whole);
    expect((await show()).result).toEqual(result);
  });
});
