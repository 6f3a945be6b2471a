import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../../src/base/log.js';
import { migrations } from '../../../src/store/migrate.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { openStore, type Store } from '../open-store.js';

const tables = {
  goals: `id integer primary key autoincrement, name text not null, description text not null,
    status text default 'active', created_at timestamp default current_timestamp,
    updated_at timestamp default current_timestamp, completed_at timestamp, metadata text`,
  tasks: `id integer primary key autoincrement, goal_id integer, title text not null, description text,
    status text default 'pending', priority integer default 5, dependencies text,
    created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp,
    started_at timestamp, completed_at timestamp, result text, error text, metadata text,
    foreign key (goal_id) references goals(id)`,
  task_queue: `id integer primary key autoincrement, task_id integer not null, queue_position integer,
    scheduled_for timestamp, created_at timestamp, foreign key (task_id) references tasks(id)`,
  relay_pipelines: `pipeline_id text primary key, name text not null, description text, goal text, agents_json text,
    current_step integer default 0, status text default 'pending', total_token_budget integer default 100000,
    tokens_used integer default 0, quality_scores_json text default '[]', l_scores_json text default '[]',
    initial_entity_id integer, final_entity_id integer, created_at text, started_at text, completed_at text`,
  relay_results: `id integer primary key autoincrement, pipeline_id text not null, step_index integer not null,
    agent_id text not null, status text not null, output_key text, output_entity_id integer,
    quality_score real default 0.0, l_score real default 0.5, tokens_used integer default 0,
    execution_time_ms integer default 0, error_message text, created_at text,
    foreign key (pipeline_id) references relay_pipelines(pipeline_id)`,
  relay_batons: `baton_id text primary key, pipeline_id text not null, sequence_position integer not null,
    baton_json text not null, status text default 'pending', created_at text, passed_at text,
    foreign key (pipeline_id) references relay_pipelines(pipeline_id)`,
  circuit_breakers: `agent_id text primary key, state text not null default 'closed', failure_count integer default 0,
    success_count integer default 0, total_failures integer default 0, total_successes integer default 0,
    trip_count integer default 0, last_failure_time text, last_success_time text, cooldown_until text, config text,
    created_at text default current_timestamp, updated_at text default current_timestamp`,
  circuit_failures: `failure_id text primary key, agent_id text not null, failure_type text not null,
    error_message text, context text, timestamp text, foreign key (agent_id) references circuit_breakers(agent_id)`,
  circuit_events: `event_id integer primary key autoincrement, agent_id text not null, event_type text not null,
    from_state text, to_state text, reason text, timestamp text,
    foreign key (agent_id) references circuit_breakers(agent_id)`,
};
type Table = keyof typeof tables;
type Row = Record<string, string | number | null>;

export interface LegacyContent {
  /** Which of the earlier server's tables there are; all unless given. */
  only?: readonly Table[];
  rows?: Partial<Record<Table, readonly Row[]>>;
  /** Statements of somebody else, run at the end. */
  extra?: string;
}

/** Writes a database as the earlier server did: references are not enforced, and no value is checked. */
export function writeLegacyDatabase({ only = Object.keys(tables) as Table[], rows = {}, extra = '' }: LegacyContent) {
  const file = join(tempDir(), 'state', 'agent_runtime.db');
  mkdirSync(dirname(file));
  const connection = connect(file);
  connection.pragma('foreign_keys = off');
  for (const table of only) connection.exec(`create table ${table} (${tables[table]})`);
  for (const [table, list] of Object.entries(rows)) {
    for (const row of list) {
      const columns = Object.keys(row);
      connection
        .prepare(`insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
        .run(...Object.values(row));
    }
  }
  connection.exec(extra);
  connection.close();
  return file;
}

/** Opens a database of the earlier server with this program's own tables. */
export function adopt(file: string, log?: Log): Promise<Store> {
  return openStore({ file, steps: migrations, ...(log ? { log } : {}) });
}

export interface TaskState {
  id: number;
  status: string;
  unfinished_dependencies: number;
  failed_dependencies: number;
}

/** Tasks whose counters differ from what their dependencies' own statuses say. */
export function miscountedTasks(db: Store): Promise<TaskState[]> {
  return db.all<TaskState>(`
    select t.id, t.status, t.unfinished_dependencies, t.failed_dependencies from tasks t
    where t.unfinished_dependencies <> (
        select count(*) from task_dependencies d join tasks other on other.id = d.depends_on
        where d.task_id = t.id and other.status <> 'completed')
      or t.failed_dependencies <> (
        select count(*) from task_dependencies d join tasks other on other.id = d.depends_on
        where d.task_id = t.id and other.status in ('failed', 'cancelled'))`);
}

/** Ids of the tasks that could be claimed now. */
export async function readyTasks(db: Store): Promise<number[]> {
  const rows = await db.all<{ id: number }>(
    "select id from tasks where status = 'pending' and unfinished_dependencies = 0 and is_held = 0 order by id",
  );
  return rows.map(({ id }) => id);
}
