import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backgroundAgent } from '../../../src/cli/import/background-agent.js';
import { backlogMd } from '../../../src/cli/import/backlog-md.js';
import { beads } from '../../../src/cli/import/beads.js';
import { github } from '../../../src/cli/import/github.js';
import { shrimp } from '../../../src/cli/import/shrimp.js';
import { findData, type Source } from '../../../src/cli/import/source.js';
import { taskMaster } from '../../../src/cli/import/task-master.js';
import { tidy } from '../../../src/cli/import/tidy.js';
import { vibeKanban } from '../../../src/cli/import/vibe-kanban.js';
import { projectRoot } from '../../support/paths.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';

const fixture = (name: string) => join(projectRoot, 'test/fixtures/import', name);

async function read(source: Source, path: string) {
  const { board, remarks } = tidy(await source.read(path));
  return { ...board, remarks, byId: new Map(board.tasks.map((task) => [task.id, task])) };
}

/** A database with the tables of another program. */
function databaseWith(name: string, sql: string): string {
  const file = join(tempDir(), name);
  const connection = connect(file);
  connection.exec(sql);
  connection.close();
  return file;
}

describe('task-master', () => {
  it('has a goal for each tag, and tasks with their subtasks', async () => {
    const { goals, tasks, byId, remarks } = await read(taskMaster, fixture('task-master.json'));
    expect(goals.map(({ id, name }) => [id, name])).toEqual([
      ['master', 'import'],
      ['feature-auth', 'import: feature-auth'],
    ]);
    expect(tasks.map(({ key }) => key)).toEqual([
      'master:1',
      'master:2',
      'master:2.1',
      'master:2.2',
      'master:2.3',
      'master:3',
      'feature-auth:1',
    ]);
    expect(byId.get('master:1')).toMatchObject({ status: 'completed', priority: 8, goal: 'master' });
    expect(byId.get('master:2')).toMatchObject({
      status: 'pending',
      dependencies: ['master:1'],
      acceptance: 'Generate files from sample data.',
      metadata: { status: 'in-progress' },
    });
    expect(byId.get('master:2.2')).toMatchObject({ parent: 'master:2', dependencies: ['master:2.1'] });
    expect(byId.get('master:2.3')).toMatchObject({ dependencies: ['master:2.2'], priority: 5 });
    expect(byId.get('master:3')).toMatchObject({ status: 'cancelled', dependencies: ['master:2'] });
    expect(byId.get('feature-auth:1')).toMatchObject({ metadata: { githubIssue: 42 } });
    expect(remarks).toEqual(['master:3 does not wait for master:99, which is not there.']);
  });

  it('is read in its older form too, and refused by the place of a mistake', async () => {
    const file = join(tempDir(), 'tasks.json');
    writeFileSync(file, '{"tasks": [{"id": 1, "title": "Old", "status": "done"}]}');
    expect((await read(taskMaster, file)).tasks).toMatchObject([{ id: 'master:1', status: 'completed' }]);
    writeFileSync(file, '{"master": {"tasks": [{"id": 1}]}}');
    await expect(read(taskMaster, file)).rejects.toThrow('master.tasks[0].title');
    writeFileSync(file, '{"master": ');
    await expect(read(taskMaster, file)).rejects.toThrow('it is not JSON');
  });
});

const beadsTables = `
  create table issues (
    id text primary key, title text not null, description text not null default '', design text not null default '',
    acceptance_criteria text not null default '', notes text not null default '', status text not null default 'open',
    priority integer not null default 2, issue_type text not null default 'task', assignee text,
    estimated_minutes integer, created_at datetime not null default current_timestamp,
    updated_at datetime not null default current_timestamp, closed_at datetime, external_ref text
  );
  create table dependencies (
    issue_id text not null, depends_on_id text not null, type text not null default 'blocks',
    created_at datetime not null default current_timestamp, created_by text not null, primary key (issue_id, depends_on_id)
  );
  create table labels (issue_id text not null, label text not null, primary key (issue_id, label));
  create table comments (
    id integer primary key autoincrement, issue_id text not null, author text not null, text text not null,
    created_at datetime not null default current_timestamp
  );
  insert into issues (id, title, status, priority, created_at, closed_at) values
    ('bd-1', 'First', 'closed', 0, '2026-01-02 03:04:05', '2026-01-03 00:00:00'),
    ('bd-2', 'Second', 'blocked', 2, '2026-01-02 03:04:06', null);
  insert into dependencies (issue_id, depends_on_id, created_by) values ('bd-2', 'bd-1', 'me');
  insert into labels values ('bd-2', 'web');
  insert into comments (issue_id, author, text) values ('bd-2', 'Ada', 'Soon');
`;

describe('beads', () => {
  it('keeps ids, links and times of its lines', async () => {
    const { tasks, byId } = await read(beads, fixture('.beads'));
    expect(tasks.map(({ key }) => key)).toEqual(['bd-a3f8', 'bd-a3f8.1', 'bd-a3f8.2', 'bd-2h0']);
    expect(byId.get('bd-a3f8.1')).toMatchObject({
      status: 'completed',
      parent: 'bd-a3f8',
      priority: 10,
      result: 'Fixed in 4f1c',
      acceptance: 'Login works',
      completedAt: Date.parse('2026-01-20T10:00:00Z'),
      metadata: { assignee: 'ada', labels: ['auth', 'urgent'], type: 'bug' },
    });
    expect(byId.get('bd-a3f8.1')?.description).toBe(
      'Users cannot login with valid credentials\n\nDesign:\nCompare hashes\n\nNotes:\nSeen twice\n\nComments:\nGrace: A second look',
    );
    expect(byId.get('bd-a3f8.2')).toMatchObject({ status: 'pending', dependencies: ['bd-a3f8.1'], parent: 'bd-a3f8' });
    expect(byId.get('bd-2h0')).toMatchObject({
      discoveredFrom: 'bd-a3f8.1',
      notBefore: Date.parse('2030-01-01T00:00:00Z'),
      priority: 1,
      metadata: { links: ['related: bd-a3f8.2'] },
    });
  });

  it('is read from its database too', async () => {
    const { tasks } = await read(beads, databaseWith('beads.db', beadsTables));
    expect(tasks).toMatchObject([
      { id: 'bd-1', status: 'completed', createdAt: Date.parse('2026-01-02T03:04:05Z') },
      { id: 'bd-2', status: 'pending', dependencies: ['bd-1'], metadata: { labels: ['web'], status: 'blocked' } },
    ]);
  });

  it('names the line that is wrong, and what to do where only Dolt has the issues', async () => {
    const directory = tempDir();
    await expect(read(beads, directory)).rejects.toThrow(/bd export/);
    writeFileSync(join(directory, 'issues.jsonl'), '{"id":"bd-1","title":"a"}\n{"id":"bd-2",\n');
    await expect(read(beads, directory)).rejects.toThrow('issues.jsonl, line 2,');
    writeFileSync(join(directory, 'x.db'), 'no database at all, but long enough to be looked at'.repeat(100));
    await expect(read(beads, join(directory, 'x.db'))).rejects.toThrow('x.db is not in the form that was expected');
  });
});

it('Backlog.md: heads and sections of its files, ids in any case', async () => {
  const { goals, byId, remarks } = await read(backlogMd, fixture('backlog'));
  expect(goals).toMatchObject([{ name: 'import' }]);
  expect([...byId.keys()].sort()).toEqual(['BACK-222', 'BACK-222.1', 'TASK-10']);
  expect(byId.get('BACK-222')).toMatchObject({
    title: 'Improve task visualization: parents & children',
    description: 'Show the hierarchy everywhere.',
    priority: 8,
    metadata: { labels: ['web'], milestone: 'm-3' },
  });
  expect(byId.get('BACK-222.1')).toMatchObject({
    parent: 'BACK-222',
    dependencies: ['TASK-10'],
    status: 'pending',
    createdAt: Date.parse('2026-08-17T07:26:00Z'),
    description: 'The browser never caught up.\n\nPlan:\n1. Preserve the existing derivation.',
    acceptance:
      '- [x] #1 The task details modal shows a Parent section\n- [ ] #2 Rows navigate to canonical task routes\n\n' +
      'Definition of done:\n- [ ] #1 bun test passes',
    metadata: { assignee: ['@codex'], status: 'In Progress' },
  });
  expect(byId.get('TASK-10')).toMatchObject({ status: 'completed', result: 'They are read once.' });
  expect(remarks).toEqual([]);
});

it('shrimp: tasks with their criteria, in either language of its statuses', async () => {
  const { tasks } = await read(shrimp, fixture('shrimp.json'));
  expect(tasks).toMatchObject([
    { status: 'completed', result: 'Schema in place', acceptance: 'Migrations run' },
    { status: 'pending', dependencies: [tasks[0]?.id], description: expect.stringContaining('prepared statements') },
  ]);
});

it('GitHub: milestones, labels and reasons of closing', async () => {
  const { goals, tasks } = await read(github, fixture('github.json'));
  expect(goals.map(({ name }) => name)).toEqual(['v2.0', 'Issues of acme/app']);
  expect(tasks).toMatchObject([
    { key: 'acme/app#12', status: 'pending', priority: 8, metadata: { labels: ['priority: high', 'bug'] } },
    { key: 'acme/app#11', status: 'completed', completedAt: Date.parse('2026-05-03T08:00:00Z') },
    { key: 'acme/app#10', status: 'cancelled' },
  ]);
  const file = join(tempDir(), 'issues.json');
  writeFileSync(file, '[{"number": 1, "title": "No state"}]');
  await expect(read(github, file)).rejects.toThrow('no issue has a "state"');
});

const vibeTables = `
  create table projects (id blob primary key, name text not null, created_at text, updated_at text);
  create table tasks (
    id blob primary key, project_id blob not null, title text not null, description text,
    status text not null default 'todo' check (status in ('todo','inprogress','done','cancelled','inreview')),
    parent_workspace_id blob, created_at text not null default (datetime('now', 'subsec')),
    updated_at text not null default (datetime('now', 'subsec'))
  );
  create table workspaces (id blob primary key, task_id blob, branch text not null);
  insert into projects (id, name) values (x'00112233445566778899aabbccddeeff', 'App');
  insert into tasks (id, project_id, title, status, created_at, updated_at) values
    (x'11111111111111111111111111111111', x'00112233445566778899aabbccddeeff', 'Log in', 'done', '2026-02-01 10:00:00.123', '2026-02-02 10:00:00.123');
  insert into workspaces values (x'33333333333333333333333333333333', x'11111111111111111111111111111111', 'main');
  insert into tasks (id, project_id, title, description, status, parent_workspace_id, created_at) values
    (x'22222222222222222222222222222222', x'00112233445566778899aabbccddeeff', 'Log out', 'Also', 'inreview', x'33333333333333333333333333333333', '2026-02-03 10:00:00.123');
`;

it('vibe-kanban: projects as goals, and the task that another came up in', async () => {
  const { goals, tasks } = await read(vibeKanban, databaseWith('db.sqlite', vibeTables));
  expect(goals).toMatchObject([{ id: '00112233-4455-6677-8899-aabbccddeeff', name: 'App' }]);
  expect(tasks).toMatchObject([
    { status: 'completed', completedAt: Date.parse('2026-02-02T10:00:00.123Z') },
    { status: 'pending', discoveredFrom: '11111111-1111-1111-1111-111111111111', metadata: { status: 'inreview' } },
  ]);
});

it('the earlier background agent: its outputs are results, and what was running is to be done again', async () => {
  const home = tempDir();
  const directory = join(home, '.cache/claude_background_agent');
  mkdirSync(join(directory, 'outputs'), { recursive: true });
  const output = join(directory, 'outputs/one.txt');
  writeFileSync(output, 'The answer\n');
  const connection = connect(join(directory, 'tasks.db'));
  connection.exec(`
    create table tasks (task_id text primary key, description text not null, status text not null, output_file text,
      created_at text not null, completed_at text);
    insert into tasks values
      ('7dfdd3ce-0000-4000-8000-000000000001', 'Ask
in two lines', 'completed', '${output}', '2025-11-02T10:00:00.123456', '2025-11-02T10:05:00.000001'),
      ('7dfdd3ce-0000-4000-8000-000000000002', 'Go on', 'running', '${join(directory, 'none.txt')}', '2025-11-03T10:00:00', null);
  `);
  connection.close();
  const path = findData(backgroundAgent, undefined, { cwd: home, home });
  const { tasks } = await read(backgroundAgent, path);
  expect(tasks).toMatchObject([
    {
      key: '7dfdd3ce-0000-4000-8000-000000000001',
      title: 'Ask in two lines',
      status: 'completed',
      result: 'The answer',
      createdAt: Date.parse('2025-11-02T10:00:00.123'),
    },
    { status: 'pending', metadata: { status: 'running' } },
  ]);
});

it('a source that is not there is named with the places that were looked at', () => {
  const home = tempDir();
  expect(() => findData(vibeKanban, undefined, { cwd: home, home })).toThrow(
    /None of these is there: .*db\.v2\.sqlite/,
  );
  expect(() => findData(github, undefined, { cwd: home, home })).toThrow();
  expect(() => findData(beads, 'nowhere', { cwd: home, home })).toThrow(`There is no ${join(home, 'nowhere')}.`);
});

it('what cannot be here is left out or cut, and said', () => {
  const task = { status: 'pending' as const, dependencies: [], title: 'x' };
  const { board, remarks } = tidy(
    {
      source: 'beads',
      goals: [],
      tasks: [
        { ...task, id: 'epic', title: 'A\nlong '.repeat(200) },
        { ...task, id: 'part', parent: 'epic', dependencies: ['epic', 'gone'], key: 'part', title: ' ' },
      ],
    },
    'web/',
  );
  expect(board.tasks[0]?.title).toHaveLength(500);
  expect(board.tasks[0]?.description).toHaveLength(1_399);
  expect(board.tasks[1]).toMatchObject({ dependencies: [], key: 'web/part', title: 'part' });
  expect(remarks).toEqual([
    'part does not wait for epic, which it is part of.',
    'part does not wait for gone, which is not there.',
  ]);
  expect(() =>
    tidy({
      source: 'x',
      goals: [],
      tasks: [
        { ...task, id: 'a' },
        { ...task, id: 'a' },
      ],
    }),
  ).toThrow('the id a');
});
