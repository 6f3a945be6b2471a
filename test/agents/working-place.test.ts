import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/core/actor.js';
import { submitLlmJob } from '../../src/services/model-request.js';
import { startGoalRun } from '../../src/services/run-goal.js';
import { background } from '../runner/fixtures/background.js';
import { eventually } from '../support/eventually.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { git, gitRepository } from '../worktrees/git-repository.js';

const command = join(projectRoot, 'test', 'fixtures', 'models', 'fake-claude.mjs');
const model = 'claude-code:sonnet';

/** A session in a repository, with a Claude Code that may write files. */
async function coding(project: string, settings: object = {}) {
  const home = tempDir();
  const runtime = await background({
    home,
    config: { providers: { 'claude-code': { command, allowedTools: ['Write'], ...settings } } },
  });
  const actor: Actor = { holder: 'session:test', project };
  const submit = async (task_description: string, more: object = {}) =>
    (await submitLlmJob({ task_description, model, ...more }, actor, runtime)).job.id;
  const recordOf = (path: string) =>
    JSON.parse(readFileSync(path, 'utf8')) as { argv: string[]; cwd: string; prompt: string };
  return { runtime, actor, home, submit, recordOf };
}

describe('a background task in a worktree', () => {
  it('leaves its branch with what it changed in the result, and goes on there', async () => {
    const project = gitRepository();
    const { runtime, actor, submit, recordOf, home } = await coding(project);
    const id = await submit('Add b [[claude write b.txt]]', { worktree: true });
    const job = await runtime.ended(id);
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        session_id: 'a6f0f3c5-0000-4000-8000-000000000000',
        worktree: {
          branch: expect.stringMatching(/^agent-runtime\/job-/),
          base: 'main',
          files_changed: 1,
          lines_added: 1,
        },
      },
    });
    const { worktree } = job.result as { worktree: { path: string } };
    expect(existsSync(join(project, 'b.txt'))).toBe(false);
    expect(existsSync(join(worktree.path, 'b.txt'))).toBe(true);

    const record = join(home, 'record.json');
    const next = await runtime.ended(
      await submit(`Add c [[claude write c.txt]] [[record ${record}]]`, { continue_from: id }),
    );
    expect(next.result).toMatchObject({ worktree: { ...worktree, files_changed: 2, lines_added: 2 } });
    expect(recordOf(record)).toMatchObject({ cwd: worktree.path });
    expect(recordOf(record).argv).toEqual(
      expect.arrayContaining(['--resume', 'a6f0f3c5-0000-4000-8000-000000000000', '--fork-session']),
    );
    await runtime.worktrees.finish({ task: id, action: 'merge' }, actor);
    expect(git(project, 'ls-files').split('\n')).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('is found again, with what is in it, by the try after a killed one', async () => {
    const project = gitRepository();
    const { runtime, actor, submit } = await coding(project);
    const id = await submit('Go on [[claude write-slowly b.txt]]', { worktree: true });
    const runner = await runtime.runnerOf(id);
    const row = await eventually('it has begun', async () => {
      const found = await runtime.worktrees.of({ jobId: id });
      return found && existsSync(join(found.path, 'b.txt')) ? found : undefined;
    });
    process.kill(-runner.pid, 'SIGKILL');
    await eventually('the lost runner is found', async () => {
      await runtime.jobs.sweep(actor);
      return (await runtime.row(id)).attempt > 1;
    });
    const job = await runtime.ended(id);
    expect(job).toMatchObject({ status: 'completed', result: { worktree: { path: row.path, files_changed: 1 } } });
    expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(2);
  });

  it('leaves nothing where nothing was changed', async () => {
    const project = gitRepository();
    const { runtime, submit } = await coding(project);
    const job = await runtime.ended(await submit('Only look.', { worktree: true }));
    expect(job).toMatchObject({ status: 'completed', result: { model: 'claude-sonnet-5-5' } });
    expect(job.result).not.toHaveProperty('worktree');
    expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(1);
    expect(await runtime.worktrees.list()).toEqual([]);
  });
});

describe('a background task with a place', () => {
  it('may work in the project and where the config file says, and nowhere else', async () => {
    const project = gitRepository();
    const [lent, other] = [tempDir(), tempDir()];
    mkdirSync(join(lent, 'inner'));
    symlinkSync(other, join(lent, 'out'));
    const { runtime, submit, recordOf, home } = await coding(project, { workingDirectories: [lent] });
    const record = join(home, 'record.json');
    await runtime.ended(await submit(`Hello [[record ${record}]]`, { working_directory: join(lent, 'inner') }));
    expect(recordOf(record).cwd).toBe(join(lent, 'inner'));
    for (const working_directory of [other, join(lent, 'out'), join(lent, '..'), `${project}-else`, 'inner']) {
      await expect(submit('Hello', { working_directory }), working_directory).rejects.toMatchObject({
        code: 'invalid',
      });
    }
    await expect(submit('Hello', { model: 'sonnet', worktree: true })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/works with no files/),
    });
    await expect(submit('Hello', { worktree: true, working_directory: lent })).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringMatching(/no git repository/),
    });
    expect(await runtime.jobs.list({ limit: 10 })).toHaveLength(1);
  });
});

describe('a conversation', () => {
  it('goes on with all that was said, and with the same model and system prompt', async () => {
    const runtime = await background();
    const one = await runtime.ask('One', { model: 'opus', system: 'Be brief.' });
    const answer = await runtime.ended(one).then(() => runtime.jobs.output(one));
    const two = await runtime.ask('Two', { continue_from: one });
    await runtime.ended(two);
    const three = await runtime.ask('Three', { continue_from: two, model: 'sonnet' });
    await runtime.ended(three);
    const bodies = runtime.server.requests.map(
      ({ body }) => body as { model: string; system?: unknown; messages: object[] },
    );
    expect(bodies[1]).toMatchObject({ model: bodies[0]?.model, system: 'Be brief.' });
    expect(bodies[1]?.messages).toEqual([
      { role: 'user', content: 'One' },
      { role: 'assistant', content: answer },
      { role: 'user', content: 'Two' },
    ]);
    expect(bodies[2]?.messages).toHaveLength(5);
    expect(bodies[2]?.model).not.toBe(bodies[0]?.model);
  });

  it('waits for the answer before it, and cannot go on from none', async () => {
    const runtime = await background();
    const first = await runtime.ask('Slow [[model {"isHeld": true}]]');
    const second = await runtime.ask('Then', { continue_from: first });
    runtime.server.letGo();
    expect((await runtime.ended(second)).status).toBe('completed');
    runtime.server.script.push({ status: 401 });
    const failed = await runtime.ask('Fails');
    await runtime.ended(failed);
    await expect(runtime.ask('More', { continue_from: failed })).rejects.toMatchObject({ code: 'conflict' });
    const other = await runtime.give('generic', { a: 1 });
    await expect(runtime.ask('More', { continue_from: other })).rejects.toMatchObject({ code: 'invalid' });
    await expect(runtime.ask('More', { continue_from: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a run of a goal in worktrees', () => {
  it('gives each task its own, the next with the work of the one before it', async () => {
    const project = gitRepository();
    const { runtime, actor } = await coding(project);
    const goal = await runtime.goals.create({ name: 'G', description: 'D' }, actor);
    const [first] = await runtime.tasks.create(
      [{ title: 'Write b', description: '[[claude write b.txt]]', goalId: goal.id }],
      actor,
    );
    const [second] = await runtime.tasks.create(
      [{ title: 'Write c', description: '[[claude write c.txt]]', goalId: goal.id, dependencies: [first?.id ?? 0] }],
      actor,
    );
    const { run } = await startGoalRun({ goal_id: goal.id, model, concurrency: 2, worktree: true }, actor, runtime);
    expect((await runtime.ended(run.id)).status).toBe('completed');
    const last = await runtime.tasks.get(second?.id ?? 0);
    expect(last.worktree).toMatchObject({ branch: `agent-runtime/${last.id}-write-c`, status: 'active' });
    expect(existsSync(join(last.worktree?.path ?? '', 'b.txt'))).toBe(true);
    for (const { id } of [first, second].flatMap((task) => task ?? [])) {
      await runtime.worktrees.finish({ task: id, action: 'merge' }, actor);
    }
    expect(git(project, 'ls-files').split('\n')).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('starts nothing where no worktree can be made', async () => {
    const { runtime, actor } = await coding(tempDir());
    const goal = await runtime.goals.create({ name: 'G', description: 'D' }, actor);
    await runtime.tasks.create([{ title: 'T', goalId: goal.id }], actor);
    const start = (more: object) =>
      startGoalRun({ goal_id: goal.id, concurrency: 1, worktree: true, ...more }, actor, runtime);
    await expect(start({ model })).rejects.toMatchObject({ code: 'not_configured' });
    await expect(start({ model: 'sonnet' })).rejects.toMatchObject({ code: 'invalid' });
    expect(await runtime.jobs.list({ limit: 1 })).toEqual([]);
  });
});
