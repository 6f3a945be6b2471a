import { expect, it } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { readGoalTimeline, readRelayTimeline, readWorkTimeline } from '../../../src/core/overview/timeline.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const minute = 60_000;
const worker = (name: string): Actor => ({ holder: `loose:${name}`, project: '', hasHeartbeat: false });

async function board() {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  const startedAt = clock.now();
  const start = (task: string, name: string) =>
    runtime.tasks.updateStatus(
      { task, status: 'in_progress', claim: { workerId: name, leaseSeconds: 36_000 } },
      worker(name),
    );
  const end = (task: string, name: string, status: 'completed' | 'failed') =>
    runtime.tasks.updateStatus(
      { task, status, ...(status === 'failed' ? { error: 'The oven is cold.' } : { result: 'Done.' }) },
      worker(name),
    );
  const pass = (minutes: number) => clock.pass(minutes * minute);
  /** Spans with their times in minutes since the beginning. */
  const work = async (fromMinute = 0, toMinute = (clock.now() - startedAt) / minute) => {
    const range = { from: startedAt + fromMinute * minute, to: startedAt + toMinute * minute };
    return brief((await readWorkTimeline(runtime.db, range)).spans);
  };
  const brief = (spans: Awaited<ReturnType<typeof readWorkTimeline>>['spans']) =>
    spans.map(({ lane, title, state, from, to }) => [
      lane,
      title,
      state,
      (from - startedAt) / minute,
      to === null ? null : (to - startedAt) / minute,
    ]);
  return { runtime, clock, start, end, pass, work, brief };
}

it('has a span for each claim, by who held it, as long as it was held', async () => {
  const { runtime, start, end, pass, work } = await board();
  await runtime.tasks.create(
    [
      { title: 'Bake', key: 'bake' },
      { title: 'Sell', key: 'sell' },
    ],
    worker('boss'),
  );
  await start('bake', 'ada');
  await pass(3);
  await runtime.tasks.updateStatus({ task: 'bake', status: 'pending' }, worker('ada'));
  await pass(1);
  await start('bake', 'bob');
  await start('sell', 'ada');
  await pass(5);
  await end('bake', 'bob', 'failed');
  await pass(2);
  expect(await work()).toEqual([
    ['ada', 'Bake', 'released', 0, 3],
    ['ada', 'Sell', 'running', 4, null],
    ['bob', 'Bake', 'failed', 4, 9],
  ]);
});

it('leaves out what was over before the range and what began after it', async () => {
  const { runtime, start, end, pass, work } = await board();
  await runtime.tasks.create(
    ['one', 'two', 'three'].map((key) => ({ title: key, key })),
    worker('boss'),
  );
  for (const key of ['one', 'two', 'three']) {
    await start(key, 'ada');
    await pass(10);
    await end(key, 'ada', 'completed');
    await pass(10);
  }
  expect(await work(15, 35)).toEqual([['ada', 'two', 'completed', 20, 30]]);
  expect((await work(25)).map(([, title]) => title)).toEqual(['two', 'three']);
});

it('takes the times of the row where no event tells of a claim', async () => {
  const { runtime, start, end, pass, work } = await board();
  await runtime.tasks.create([{ title: 'Bake', key: 'bake' }], worker('boss'));
  await start('bake', 'ada');
  await pass(4);
  await end('bake', 'ada', 'completed');
  await runtime.db.run("delete from events where subject = 'task'");
  expect(await work()).toEqual([['ada', 'Bake', 'completed', 0, 4]]);
});

it('tells of a goal by its tasks, and says why one failed', async () => {
  const { runtime, start, end, pass, brief } = await board();
  const goal = await runtime.goals.create({ name: 'Bakery', description: '' }, worker('boss'));
  const plan = ['Bake', 'Sell', 'Rest'].map((title) => ({ title, key: title.toLowerCase(), goalId: goal.id }));
  const [bake, sell] = await runtime.tasks.create(plan, worker('boss'));
  await start('bake', 'ada');
  await pass(1);
  await start('sell', 'bob');
  await end('bake', 'ada', 'failed');
  const { spans, isCut } = await readGoalTimeline(runtime.db, goal.id);
  expect(brief(spans)).toEqual([
    [`#${bake?.id} Bake`, 'Bake', 'failed', 0, 1],
    [`#${sell?.id} Sell`, 'Sell', 'running', 1, null],
  ]);
  expect(spans[0]?.error).toBe('The oven is cold.');
  expect(isCut).toBe(false);
});

it('tells of a relay by its steps, each attempt as long as somebody had the baton', async () => {
  const { runtime, pass, brief } = await board();
  const { relays, db } = runtime;
  const boss = worker('boss');
  const { pipeline } = await relays.create(
    { name: 'Report', goal: 'A report', tokenBudget: 10_000, agentTypes: ['researcher', 'writer'] },
    boss,
  );
  const spans = async () => brief((await readRelayTimeline(db, pipeline.id)).spans);
  await pass(2);
  const [, title] = (await spans())[0] ?? [];
  expect(await spans()).toEqual([['1. researcher', title, 'running', 0, null]]);
  const scores = { output: 'Found nothing.', tokensUsed: 10, qualityScore: 0.1, lScore: 0.1 };
  await relays.advance({ pipelineId: pipeline.id, ...scores }, boss);
  await pass(1);
  await relays.retry({ pipelineId: pipeline.id, stepIndex: 0 }, boss);
  await pass(4);
  await relays.advance({ pipelineId: pipeline.id, ...scores, qualityScore: 0.99, lScore: 0.99 }, boss);
  await pass(1);
  expect((await spans()).map(([lane, , ...rest]) => [lane, ...rest])).toEqual([
    ['1. researcher', 'failed', 0, 2],
    ['1. researcher', 'completed', 3, 7],
    ['2. writer', 'running', 7, null],
  ]);
});

it('refuses a relay that there is not', async () => {
  const { runtime } = await board();
  await expect(readRelayTimeline(runtime.db, 'nosuch')).rejects.toThrow('nosuch');
});
