import { expect, test } from 'vitest';
import type { Runtime } from '../../../src/runtime.js';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';

/** Three sessions on one database, each with connections of its own. */
async function threeSessions() {
  const home = tempDir();
  return [await testRuntime({ home }), await testRuntime({ home }), await testRuntime({ home })] as const;
}

const actorOf = (index: number) => ({ holder: `claude:${index}`, project: '' });

test('three that claim at once get each task once', async () => {
  const sessions = await threeSessions();
  const titles = Array.from({ length: 60 }, (_, index) => ({ title: `Task ${index}` }));
  await sessions[0].tasks.create(titles, actorOf(0));
  const claimed: number[] = [];
  await Promise.all(
    sessions.map(async ({ tasks }: Runtime, index) => {
      for (let task = await tasks.claimNext({}, {}, actorOf(index)); task; ) {
        claimed.push(task.id);
        task = await tasks.claimNext({}, {}, actorOf(index));
      }
    }),
  );
  expect(claimed.sort((a, b) => a - b)).toEqual(titles.map((_, index) => index + 1));
});

test('of the tasks of a goal that end at once the last one completes the goal, and what waits for them is ready', async () => {
  const sessions = await threeSessions();
  const [{ goals, tasks, db }] = sessions;
  for (let round = 0; round < 15; round++) {
    const goal = await goals.create({ name: `Goal ${round}`, description: '' }, actorOf(0));
    const parts = await tasks.create(
      sessions.map((_, index) => ({ title: `Part ${index}`, goalId: goal.id })),
      actorOf(0),
    );
    const [after] = await tasks.create([{ title: 'After all', dependencies: parts.map(({ id }) => id) }], actorOf(0));
    await Promise.all(
      parts.map((part, index) =>
        sessions[index]?.tasks.updateStatus({ task: part.id, status: 'completed' }, actorOf(index)),
      ),
    );
    expect((await goals.get(goal.id)).status).toBe('completed');
    expect((await tasks.get(after?.id ?? 0)).isReady).toBe(true);
  }
  expect(
    await db.get('select count(*) as count from events where subject = ? and type = ?', 'goal', 'completed'),
  ).toEqual({
    count: 15,
  });
});

test('one that two complete at once is completed by one of them, and the other one is told', async () => {
  const sessions = await threeSessions();
  for (let round = 0; round < 15; round++) {
    const [task] = await sessions[0].tasks.create([{ title: `Task ${round}` }], actorOf(0));
    const ends = await Promise.allSettled(
      sessions.map(({ tasks }, index) =>
        tasks.updateStatus({ task: task?.id ?? 0, status: 'completed', result: `by ${index}` }, actorOf(index)),
      ),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }
});

test('a goal that gets another task while its last one ends is not over', async () => {
  const sessions = await threeSessions();
  const [{ goals, tasks }, other] = sessions;
  for (let round = 0; round < 15; round++) {
    const goal = await goals.create({ name: `Goal ${round}`, description: '' }, actorOf(0));
    const [part] = await tasks.create([{ title: 'Part', goalId: goal.id }], actorOf(0));
    await Promise.all([
      tasks.updateStatus({ task: part?.id ?? 0, status: 'completed' }, actorOf(0)),
      other.tasks.create([{ title: 'One more', goalId: goal.id }], actorOf(1)),
    ]);
    expect((await goals.get(goal.id)).status).toBe('active');
  }
});
