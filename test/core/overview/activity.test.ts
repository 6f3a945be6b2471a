import { expect, it } from 'vitest';
import { personNamed } from '../../../src/core/actor.js';
import { type ActivityFilter, readActivity, readActors } from '../../../src/core/overview/activity.js';
import { jobStoreOf } from '../../support/job-store.js';
import { testRuntime } from '../../support/test-runtime.js';

const nobody = { holder: null, project: '' };
const ada = personNamed('ada');

it('changes are found by kind, type, actor, goal and words, page by page', async () => {
  const runtime = await testRuntime();
  const { db, tasks, goals } = runtime;
  const goal = await goals.create({ name: 'Payments', description: '' }, ada);
  const [one, other] = await tasks.create([{ title: 'Write the gateway', goalId: goal.id }, { title: 'Other' }], ada);
  if (!one || !other) throw new Error('There are no tasks.');
  await tasks.updateStatus({ task: one.id, status: 'in_progress', note: 'Ask Bern', claim: { workerId: 'w' } }, nobody);
  const { job } = await jobStoreOf(runtime).submit({ type: 'llm', payload: { prompt: 'p' } }, ada);
  const told = async (filter: Partial<ActivityFilter>) =>
    (await readActivity(db, { limit: 50, ...filter })).events.map(({ subject, type }) => `${subject} ${type}`);

  expect(await told({ kind: 'task', subjectId: String(other.id) })).toEqual(['task created']);
  expect(await told({ kind: 'task', subjectId: String(one.id), type: 'note' })).toEqual(['task note']);
  expect(await told({ kind: 'goal', goalId: goal.id })).toEqual(['goal created']);
  expect(await told({ goalId: goal.id, kind: 'task' })).toContain('task claimed');
  expect(await told({ goalId: goal.id })).not.toContain('session started');
  expect(await told({ kind: 'worktree' })).toEqual([]);
  expect((await told({ actor: 'user:ada' })).sort()).toContain('job submitted');
  expect(await told({ actor: 'user:eve' })).toEqual([]);
  expect(await told({ text: 'BERN gateway' })).toEqual(['task note']);
  expect(await told({ text: `#${other.id}` })).toEqual(['task created']);
  expect(await told({ text: `${job.id.slice(0, 8)} submitted` })).toEqual(['job submitted']);
  expect(await readActors(db)).toContain('user:ada');

  const all = await told({});
  const seen: string[] = [];
  let beforeId: number | undefined;
  for (let pages = 0; pages < 50; pages++) {
    const page = await readActivity(db, { limit: 2, text: '', beforeId });
    seen.push(...page.events.map(({ subject, type }) => `${subject} ${type}`));
    beforeId = page.nextBeforeId;
    if (beforeId === undefined) break;
  }
  expect(seen).toEqual(all);
});
