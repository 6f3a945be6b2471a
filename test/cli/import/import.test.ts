import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { toMarkdown } from '../../../src/cli/import/export.js';
import { exportedBoard } from '../../../src/cli/import/own-export.js';
import { projectRoot } from '../../support/paths.js';
import { boardCli } from '../board/board-cli.js';
import { hasTerminal } from '../in-terminal.js';

const fixture = (name: string) => join(projectRoot, 'test/fixtures/import', name);

it('import shows what it would do, writes with --yes, and brings nothing twice', async () => {
  const { home, run } = boardCli();
  const args = ['import', 'task-master', fixture('task-master.json')];
  expect((await run([...args, '--db', 'new.db'])).json()).toMatchObject({ written: false, tasks: { created: 7 } });
  expect(existsSync(join(home, 'new.db'))).toBe(false);
  const preview = await run(args);
  expect(preview.json()).toMatchObject({
    written: false,
    goals: { created: 2 },
    tasks: { created: 7 },
    board: [
      { goal: 'import', tasks: 6, open: 3, completed: 2, other: 1 },
      { goal: 'import: feature-auth', tasks: 1 },
    ],
    remarks: ['master:3 does not wait for master:99, which is not there.'],
  });
  expect(existsSync(join(home, '.claude/agent_runtime.db'))).toBe(false);
  expect((await run([...args, '--yes'])).json()).toMatchObject({ written: true, tasks: { created: 7, present: 0 } });
  expect((await run([...args, '--yes'])).json()).toMatchObject({ tasks: { created: 0, present: 7 } });
  const board = (await run(['board'])).json();
  expect(board.counts).toMatchObject({ ready: 2, waiting: 2, completed: 2, cancelled: 1 });
  // Keys are unique within a project, so that another one imports the same.
  const third = await run([...args, '--yes'], { env: { CLAUDE_PROJECT_DIR: '/third' } });
  expect(third.json()).toMatchObject({ tasks: { created: 7 } });
  const own = ['tool', 'create_task', '--arg', 'title=Own', '--arg', 'key=master:1'];
  expect((await run(own, { env: { CLAUDE_PROJECT_DIR: '/other' } })).code).toBe(0);
  for (const more of [[], ['--yes']]) {
    const clash = await run([...args, ...more], { env: { CLAUDE_PROJECT_DIR: '/other' } });
    expect([clash.code, clash.stderr]).toEqual([4, expect.stringContaining('The key master:1 belongs to task')]);
    expect(clash.stderr).toContain('--prefix');
  }
  const prefixed = await run([...args, '--yes', '--prefix', 'other/'], { env: { CLAUDE_PROJECT_DIR: '/other' } });
  expect(prefixed.json()).toMatchObject({ tasks: { created: 7 } });
  expect((await run(['task', 'other/master:2.1'])).json()).toMatchObject({ status: 'completed' });
});

it('an unknown source is answered with the near one, and a missing file by its name', async () => {
  const { run } = boardCli();
  const near = await run(['import', 'bead']);
  expect([near.code, near.stderr]).toEqual([2, expect.stringContaining('Did you mean beads?')]);
  const missing = await run(['import', 'github', 'issues.json']);
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('issues.json')]);
});

it.skipIf(!hasTerminal)('import is a table and a sentence in a terminal', async () => {
  const { inTerminal } = boardCli();
  const { shown } = await inTerminal(['import', 'github', fixture('github.json')], { env: { NO_COLOR: '1' } });
  expect(shown).toMatch(/^GOAL +TASKS +OPEN +COMPLETED +FAILED OR CANCELLED +DEPENDENCIES\r\nv2\.0 +1/);
  expect(shown).toContain('Nothing was written: repeat it with --yes.');
});

it('export as JSON, imported elsewhere, is the same board, and is known where it comes from', async () => {
  const { home, run, tool } = boardCli();
  await run(['import', 'beads', fixture('.beads'), '--yes']);
  await tool('create_goal', { name: 'Own', description: 'With a budget', token_budget: 900 });
  await tool('create_tasks', {
    goal_id: 2,
    tasks: [
      { title: 'Fails', key: 'fails', max_attempts: 1 },
      { title: 'Skipped', dependencies: ['fails'], on_dependency_failure: 'skip', deadline: '2030-01-01T00:00:00Z' },
      { title: 'After', dependencies: [1], on_dependency_failure: 'run', metadata: { a: [1] } },
    ],
  });
  await tool('update_task_status', { task_id: 'fails', status: 'failed', error: 'broken' });
  const exported = await run(['export', '--output', 'board.json']);
  expect(exported.stdout).toContain('Exported 2 goals and 7 tasks');
  const first = exportedBoard.parse(JSON.parse(readFileSync(join(home, 'board.json'), 'utf8')));

  const again = await run(['import', 'agent-runtime', 'board.json', '--yes']);
  expect(again.json()).toMatchObject({ goals: { created: 0, present: 2 }, tasks: { created: 0, present: 7 } });

  const other = boardCli();
  writeFileSync(join(other.home, 'board.json'), JSON.stringify(first));
  await other.run(['import', 'agent-runtime', 'board.json', '--yes']);
  const second = exportedBoard.parse((await other.run(['export'])).json());
  expect(comparable(second)).toEqual(comparable(first));
  expect(readdirSync(other.home)).toContain('board.json');
});

/** A board without the numbers of its rows: links by title instead. */
function comparable({ goals, tasks }: ReturnType<typeof exportedBoard.parse>) {
  const titles = new Map(tasks.map(({ id, title }) => [id, title]));
  const names = new Map(goals.map(({ id, name }) => [id, name]));
  const titleOf = (id: number | null) => (id === null ? null : titles.get(id));
  return {
    goals: goals.map(({ id: _, ...goal }) => goal),
    tasks: tasks
      .map(({ id: _, goal_id, dependencies, parent_id, discovered_from, ...task }) => ({
        ...task,
        goal: goal_id === null ? null : names.get(goal_id),
        dependencies: dependencies.map(titleOf).sort(),
        parent: titleOf(parent_id),
        discovered: titleOf(discovered_from),
      }))
      .sort((a, b) => a.title.localeCompare(b.title)),
  };
}

it('export as Markdown has a heading a goal and a box a task', () => {
  const task = {
    key: null,
    goal_id: 1,
    project: '',
    description: '',
    acceptance: null,
    expected_output: null,
    priority: 5,
    dependencies: [],
    parent_id: null,
    discovered_from: null,
    on_dependency_failure: 'block' as const,
    max_attempts: 3,
    deadline: null,
    not_before: null,
    result: null,
    error: null,
    metadata: {},
    created_at: '2026-01-01T00:00:00.000Z',
    started_at: null,
    completed_at: null,
  };
  const goal = {
    id: 1,
    name: 'Ship *it*',
    description: 'All of it.',
    status: 'active' as const,
    project: '',
    token_budget: null,
    metadata: {},
  };
  const text = toMarkdown({
    format: 'agent-runtime-board',
    version: 1,
    goals: [{ ...goal, created_at: task.created_at, completed_at: null }],
    tasks: [
      { ...task, id: 1, title: 'Done', status: 'completed', result: 'As\n\nplanned' },
      {
        ...task,
        id: 2,
        title: 'Open',
        status: 'pending',
        key: 'open',
        priority: 9,
        dependencies: [1],
        description: 'More',
      },
      { ...task, id: 3, title: 'Loose', status: 'failed', goal_id: null },
    ],
  });
  expect(text).toBe(`# Ship \\*it\\*

All of it.

- [x] **#1** Done

  Result: As

  planned
- [ ] **#2** Open (\`open\`; priority 9; after #1)

  More

# Tasks of no goal

- [ ] **#3** Loose (failed)
`);
});
