import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../src/cli/text-width.js';
import { hasTerminal } from '../in-terminal.js';
import { boardCli, filledBoard } from './board-cli.js';

describe('in a pipe', () => {
  it('board, tasks, task, goals, next and status print JSON', async () => {
    const { run } = await filledBoard();
    const board = (await run(['board'])).json();
    expect(board.counts).toMatchObject({ ready: 1, waiting: 1, in_progress: 1, completed: 0 });
    expect(board.columns.in_progress).toMatchObject([{ id: 3, worker: 'painter' }]);
    const tasks = (await run(['tasks'])).json();
    expect([tasks.count, tasks.has_more, tasks.tasks.map(({ id }: { id: number }) => id)]).toEqual([
      3,
      false,
      [3, 2, 1],
    ]);
    expect((await run(['task', 'parser'])).json()).toMatchObject({ id: 1, key: 'parser', dependents: [2] });
    expect((await run(['goals'])).json()).toMatchObject({
      count: 1,
      goals: [{ id: 1, name: 'Ship the parser', counts: { ready: 1, in_progress: 1 } }],
    });
    expect((await run(['next'])).json()).toMatchObject({ id: 1, title: 'Write the parser' });
    expect((await run(['status'])).json()).toMatchObject({ all: { tasks: { ready: 1, waiting: 1, in_progress: 1 } } });
  });

  it('prints JSON for an empty board too', async () => {
    const { run } = boardCli();
    expect((await run(['board'])).json().counts).toMatchObject({ ready: 0, completed: 0 });
    expect((await run(['tasks'])).json()).toEqual({ tasks: [], count: 0, has_more: false });
    expect((await run(['goals', 'list'])).json()).toEqual({ goals: [], count: 0, has_more: false });
    expect((await run(['next'])).json()).toMatchObject({ message: expect.any(String), why: { waiting: 0 } });
  });

  it('tasks are chosen by status, goal, readiness and number', async () => {
    const { run, tool } = await filledBoard();
    await tool('create_task', { title: 'Of no goal' });
    const ids = async (...options: string[]) =>
      (await run(['tasks', ...options])).json().tasks.map(({ id }: { id: number }) => id);
    expect(await ids('--status', 'pending')).toEqual([4, 2, 1]);
    expect(await ids('--status', 'in_progress')).toEqual([3]);
    expect(await ids('--goal', '1')).toEqual([3, 2, 1]);
    expect(await ids('--ready')).toEqual([4, 1]);
    expect(await ids('--blocked')).toEqual([2]);
    expect((await run(['tasks', '--limit', '2'])).json()).toMatchObject({ count: 2, has_more: true });
  });

  it('of this project, or of all', async () => {
    const { run, tool } = boardCli();
    const here = { env: { CLAUDE_PROJECT_DIR: '/here' } };
    const there = { env: { CLAUDE_PROJECT_DIR: '/there' } };
    await tool('create_goal', { name: 'Here', description: '' }, here);
    await tool('create_task', { title: 'Here' }, here);
    await tool('create_task', { title: 'There' }, there);
    await tool('create_task', { title: 'Nowhere' });
    const titles = async (...args: string[]) =>
      (await run(['tasks', ...args], here)).json().tasks.map(({ title }: { title: string }) => title);
    expect(await titles()).toEqual(['Nowhere', 'Here']);
    expect(await titles('--all')).toEqual(['Nowhere', 'There', 'Here']);
    expect((await run(['board'], here)).json().counts.ready).toBe(2);
    expect((await run(['board', '--all'], here)).json().counts.ready).toBe(3);
    expect((await run(['goals'], there)).json().count).toBe(0);
    expect((await run(['goals', '--all'], there)).json().count).toBe(1);
    expect((await run(['next'], there)).json().title).toBe('There');
    expect((await run(['next', '--all'], there)).json().title).toBe('Here');
  });

  it('goals graph draws the tasks for Mermaid and Graphviz', async () => {
    const { run, tool } = await filledBoard();
    await tool('create_task', { goal_id: 1, title: 'Say "hi" <b>#1\\\n', dependencies: [2] });
    const mermaid = await run(['goals', 'graph', '1', '--format', 'mermaid']);
    expect(mermaid.stdout).toMatch(/^flowchart LR\n {2}t1\["1: Write the parser \(ready\)"\]\n/);
    expect(mermaid.stdout).toContain('t4["4: Say #34;hi#34; #60;b#62;#35;1#92; (waiting)"]');
    expect(mermaid.stdout).toMatch(/ {2}t1 --> t2\n {2}t2 --> t4\n$/);
    const dot = await run(['goals', 'graph', '1', '--format', 'dot']);
    expect(dot.stdout).toContain(String.raw`t4 [label="4: Say \"hi\" <b>#1\\ (waiting)"];`);
    expect(dot.stdout).toContain('  t1 -> t2;\n  t2 -> t4;\n}\n');
    expect((await run(['goals', 'graph', '1'])).json()).toMatchObject({
      edges: [
        [1, 2],
        [2, 4],
      ],
      total: 4,
    });
    expect((await run(['goals', 'graph', 'one'])).code).toBe(2);
    expect((await run(['goals', 'graph', '9'])).code).toBe(3);
  });

  it('a database that is named and not there is an error of what only reads, and is not created', async () => {
    const { home, run } = boardCli();
    const file = join(home, 'mistyped.db');
    for (const args of [['board'], ['goals'], ['tasks'], ['next'], ['status'], ['list-jobs'], ['metrics']]) {
      const end = await run([...args, '--db', file]);
      expect([args, end.code, end.stdout]).toEqual([args, 3, '']);
      expect(end.stderr).toContain(`There is no database ${file}.`);
      expect(end.stderr).toContain(join(home, '.claude/agent_runtime.db'));
    }
    expect(existsSync(file)).toBe(false);
  });

  it('names a wrong option, goal or task', async () => {
    const { run } = await filledBoard();
    for (const [args, code, message] of [
      [['tasks', '--limit', 'ten'], 2, '"ten" is not a whole number'],
      [['tasks', '--ready', '--blocked'], 2, 'cannot be used with'],
      [['tasks', '--goal', '7'], 3, '7'],
      [['board', '--goal', '7'], 3, '7'],
      [['task', '99'], 3, '99'],
      [['goals', 'grow'], 2, 'too many arguments'],
    ] as const) {
      const end = await run([...args]);
      expect([args, end.code, end.stdout]).toEqual([args, code, '']);
      expect(end.stderr).toContain(message);
    }
  });
});

describe.skipIf(!hasTerminal)('in a terminal', () => {
  it('board shows a table of each state, without control characters of titles', async () => {
    const { inTerminal } = await filledBoard();
    const { code, shown } = await inTerminal(['board']);
    expect(code).toBe(0);
    expect(shown).toContain('1 in progress · 1 ready · 1 waiting');
    expect(shown).toMatch(/3 {2}Draw the railroad diagrams +9 +1 {2}painter, since \S+ ago/);
    expect(shown).toMatch(/1 {2}Write the parser \(parser\)/);
    expect(shown).toContain('waits for 1 task');
    expect(shown).not.toContain('\u001b]0;');
    expect(shown).not.toContain('\u009b');
  });

  it.each([40, 60])('no line is wider than %i columns', async (columns) => {
    const { inTerminal } = await filledBoard();
    for (const args of [['board'], ['tasks'], ['goals']]) {
      const { shown } = await inTerminal(args, { columns });
      const widths = stripVTControlCharacters(shown)
        .split('\r\n')
        .map((line) => textWidth(line));
      expect(Math.max(...widths.slice(args[0] === 'board' ? 1 : 0))).toBeLessThanOrEqual(columns);
      expect(shown).toContain('…');
    }
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('has no colours with %o', async (env) => {
    const { inTerminal } = await filledBoard();
    expect((await inTerminal(['tasks'])).shown).toContain('\u001b[36min progress');
    for (const args of [['board'], ['tasks'], ['status'], ['task', '1'], ['goals'], ['next']]) {
      expect((await inTerminal(args, { env })).shown).not.toContain('\u001b');
    }
  });

  it('next says why nothing is handed out', async () => {
    const { inTerminal, tool } = await filledBoard();
    const { claim_token } = await tool('update_task_status', { task_id: 1, status: 'in_progress' });
    await tool('update_task_status', { task_id: 1, status: 'failed', error: 'no grammar', claim_token });
    const { code, shown } = await inTerminal(['next']);
    expect(code).toBe(0);
    expect(shown).toContain('1 being worked on');
    expect(shown).toContain('1 waiting for a task that failed or was cancelled');
  });

  it('task and status are texts', async () => {
    const { inTerminal } = await filledBoard();
    const task = stripVTControlCharacters((await inTerminal(['task', '2'])).shown);
    expect(task).toContain('2  文法を確認する');
    expect(task).toMatch(/depends on +1\r\n/);
    const status = stripVTControlCharacters((await inTerminal(['status'])).shown);
    expect(status).toMatch(/tasks +1 ready · 1 waiting · 1 in progress · 0 failed/);
    expect(status).toMatch(/breakers +none open/);
    expect(status).toMatch(/jobs +0 running · 0 pending/);
  });
});
