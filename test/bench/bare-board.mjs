// The least server there is that keeps a board: the SDK, unbundled, and SQLite with a table of tasks, one of events and
// the index that claims need; no counts, no dependencies, no leases, no lists, and nothing is checked.

import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { DatabaseSync } from '@photostructure/sqlite';
import { z } from 'zod';

const sql = new DatabaseSync(join(process.env.HOME, 'board.db'));
sql.exec(`
  pragma journal_mode = wal;
  pragma synchronous = normal;
  create table tasks (
    id integer primary key autoincrement, goal_id integer, title text not null, description text not null, status text not null,
    priority integer not null, created_at integer not null, updated_at integer not null, started_at integer,
    completed_at integer, result text, error text, metadata text not null, attempts integer not null,
    max_attempts integer not null, key text, project text not null, claimed_by text, claim_token integer not null
  );
  create index tasks_ready on tasks (status, priority desc, id);
  create table events (
    id integer primary key autoincrement, at integer not null, subject text not null, subject_id text not null,
    type text not null, project text not null, actor text, data text
  );
`);
// Statements end with a database that nothing refers to.
process.once('exit', () => sql.close());
const begin = sql.prepare('begin immediate');
const commit = sql.prepare('commit');
const find = sql.prepare('select * from tasks where id = ?');
const insert = sql.prepare(`
  insert into tasks (title, description, status, priority, created_at, updated_at, metadata, attempts, max_attempts, project, claim_token)
  values (?, '', 'pending', ?, ?, ?, '{}', 0, 3, '', 0) returning *
`);
const claim = sql.prepare(`
  update tasks set status = 'in_progress', claimed_by = ?, claim_token = claim_token + 1, attempts = attempts + 1,
    started_at = ?, updated_at = ?
  where id = (select id from tasks where status = 'pending' order by priority desc, id limit 1) returning *
`);
const record = sql.prepare(`
  insert into events (at, subject, subject_id, type, project, actor, data) values (?, 'task', ?, ?, '', 'bench', null)
`);

function written(type, statement, ...values) {
  begin.run();
  const row = statement.get(...values);
  record.run(Date.now(), String(row.id), type);
  commit.run();
  return row;
}

function answered(row) {
  const { metadata, created_at, updated_at, ...rest } = row;
  const task = {
    ...rest,
    metadata: JSON.parse(metadata),
    created_at: new Date(created_at).toISOString(),
    updated_at: new Date(updated_at).toISOString(),
  };
  return { content: [{ type: 'text', text: JSON.stringify(task) }], structuredContent: task };
}

for (let index = 0; index < 2_100; index++) written('created', insert, `Ready ${index}`, 9, Date.now(), Date.now());

const server = new McpServer({ name: 'bare', version: '1.0.0' });
server.registerTool('get_task', { inputSchema: { task_id: z.number() } }, ({ task_id }) => answered(find.get(task_id)));
server.registerTool(
  'create_task',
  { inputSchema: { title: z.string(), priority: z.number() } },
  ({ title, priority }) => answered(written('created', insert, title, priority, Date.now(), Date.now())),
);
server.registerTool('claim_next_task', {}, () => answered(written('claimed', claim, 'bench', Date.now(), Date.now())));
await server.connect(new StdioServerTransport());
