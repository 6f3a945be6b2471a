import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newestBackup } from '../../../src/store/sqlite/backup.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { recordingLog, type Store } from '../open-store.js';
import { adopt, miscountedTasks, readyTasks } from './legacy-database.js';
import { putLegacyFile } from './legacy-file.js';

type Row = Record<string, unknown>;

interface Legacy {
  file: string;
  /** The rows of each table as they were before. */
  before: Map<string, Row[]>;
}

function legacyCopy(): Legacy {
  const file = join(tempDir(), 'state', 'agent_runtime.db');
  putLegacyFile(file);
  return { file, before: contentOf(file) };
}

/** Every table's rows; for a database that nobody has open. */
function contentOf(file: string): Map<string, Row[]> {
  const connection = connect(file, { readonly: true });
  const names = connection.prepare("select name from sqlite_master where type = 'table' order by name").pluck().all();
  const content = new Map(
    names.map((name) => [String(name), connection.prepare(`select * from "${name}" order by rowid`).all() as Row[]]),
  );
  connection.close();
  return content;
}

const rowsOf = (content: Map<string, Row[]>, table: string): Row[] => content.get(table) ?? [];
const parsed = (cell: unknown) => JSON.parse(String(cell));
const utc = (cell: unknown) => (cell === null ? null : Date.parse(`${String(cell).replace(' ', 'T')}Z`));
/** Either form of the earlier server's times, read the long way round. */
function timeOf(cell: unknown): number | null {
  if (cell === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0] = String(cell)
    .split(/[- T:.]/)
    .map(Number);
  const milliseconds = Math.trunc(micros / 1000);
  return String(cell).includes('T')
    ? new Date(year, month - 1, day, hour, minute, second, milliseconds).getTime()
    : Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
}

let timeZone: string | undefined;
beforeEach(() => {
  timeZone = process.env.TZ;
});
afterEach(() => {
  if (timeZone === undefined) delete process.env.TZ;
  else process.env.TZ = timeZone;
});

test('every goal is taken over with its id, status, times and metadata', async () => {
  const { file, before } = legacyCopy();
  const db = await adopt(file);
  const goals = await db.all<Row>('select * from goals order by id');
  expect(goals).toHaveLength(3);
  expect(goals.map((goal) => ({ ...goal, metadata: parsed(goal.metadata) }))).toEqual(
    rowsOf(before, 'goals').map((goal) => ({
      ...goal,
      project: '',
      metadata: parsed(goal.metadata),
      created_at: utc(goal.created_at),
      updated_at: utc(goal.updated_at),
    })),
  );
});

test.each(['UTC', 'America/New_York', 'Asia/Kolkata'])(
  'every task is taken over with all it had, its local times read in %s',
  async (zone) => {
    process.env.TZ = zone;
    const { file, before } = legacyCopy();
    const db = await adopt(file);
    const tasks = await db.all<Row>('select * from tasks order by id');
    expect(tasks).toHaveLength(18);
    expect(
      tasks.map((task) => ({
        id: task.id,
        goal_id: task.goal_id,
        title: task.title,
        description: task.description,
        status: task.status,
        priority: task.priority,
        result: task.result,
        error: task.error,
        metadata: parsed(task.metadata),
        times: [task.created_at, task.updated_at, task.started_at, task.completed_at],
      })),
    ).toEqual(
      rowsOf(before, 'tasks').map((task) => ({
        id: task.id,
        goal_id: task.goal_id,
        title: task.title,
        description: task.description,
        status: task.status,
        priority: task.priority,
        result: task.result,
        error: task.error,
        metadata: parsed(task.metadata),
        times: [task.created_at, task.updated_at, task.started_at, task.completed_at].map(timeOf),
      })),
    );
    // 10:05:50.687809 on a clock of that zone.
    expect(await db.get('select started_at from tasks where id = 6')).toEqual({
      started_at: { UTC: 1795169150687, 'America/New_York': 1795187150687, 'Asia/Kolkata': 1795149350687 }[zone],
    });
  },
);

test('every dependency is taken over, and the tasks count them as a recount does', async () => {
  const { file, before } = legacyCopy();
  const db = await adopt(file);
  const edges = await db.all<{ task_id: number; depends_on: number }>(
    'select task_id, depends_on from task_dependencies',
  );
  expect(edges).toEqual(
    rowsOf(before, 'tasks').flatMap(({ id, dependencies }) =>
      (parsed(dependencies) as number[]).map((dependency) => ({ task_id: id, depends_on: dependency })),
    ),
  );
  expect(await miscountedTasks(db)).toEqual([]);
  expect(await readyTasks(db)).toEqual([1, 18]);
});

test('a task in progress keeps its place under a lease, so that it lapses if nobody goes on with it', async () => {
  const { file } = legacyCopy();
  const db = await adopt(file);
  expect(
    await db.get(
      'select status, claimed_by, attempts, claim_token, lease_expires_at, lease_boot_id from tasks where id = 6',
    ),
  ).toEqual({
    status: 'in_progress',
    claimed_by: 'earlier server',
    attempts: 1,
    claim_token: 1,
    lease_expires_at: Date.UTC(2026, 10, 20, 12, 15),
    lease_boot_id: null,
  });
});

test('every relay is taken over with its steps, results and batons', async () => {
  const { file, before } = legacyCopy();
  const db = await adopt(file);
  const [pipeline] = rowsOf(before, 'relay_pipelines');
  const agents = parsed(pipeline?.agents_json) as Row[];
  expect(await db.all('select * from relay_pipelines')).toEqual([
    {
      seq: 1,
      id: 'd5f200a0-d80',
      name: pipeline?.name,
      goal: pipeline?.goal,
      description: '',
      // It was `pending` until its last step.
      status: 'in_progress',
      current_step: 1,
      total_steps: agents.length,
      token_budget: pipeline?.total_token_budget,
      tokens_used: pipeline?.tokens_used,
      initial_entity_id: pipeline?.initial_entity_id,
      final_entity_id: pipeline?.final_entity_id,
      error_code: null,
      error_message: null,
      run: null,
      project: '',
      created_at: timeOf(pipeline?.created_at),
      updated_at: timeOf(pipeline?.created_at),
      started_at: null,
      completed_at: null,
    },
  ]);
  const steps = await db.all<Row>(
    `select agent_id, agent_type, task_template, expected_output_type, max_tokens, quality_threshold, fallback_agent,
       capabilities from relay_steps order by step_index`,
  );
  expect(steps.map((step) => ({ ...step, capabilities: parsed(step.capabilities) }))).toEqual(agents);
  expect(await db.all('select * from relay_results')).toEqual([
    expect.objectContaining({
      id: 1,
      pipeline_id: 'd5f200a0-d80',
      step_index: 0,
      agent_id: 'researcher',
      status: 'passed',
      is_current: 1,
      output_key: 'relay_d5f200a0-d80_step0_researcher',
      output_entity_id: 123,
      quality_score: 0.85,
      l_score: 0.9,
      tokens_used: 5000,
      created_at: timeOf('2026-11-20T10:05:50.720303'),
    }),
  ]);
  const batons = rowsOf(before, 'relay_batons');
  expect(await db.all('select id, step_index, status, baton, created_at, passed_at from relay_batons')).toEqual(
    batons.map((baton) => ({
      id: baton.baton_id,
      step_index: Number(baton.sequence_position) - 1,
      status: baton.status,
      baton: baton.baton_json,
      created_at: timeOf(baton.created_at),
      passed_at: timeOf(baton.passed_at),
    })),
  );
  expect(batons).toHaveLength(2);
});

test('every breaker is taken over with its state, counts and settings', async () => {
  const { file, before } = legacyCopy();
  const db = await adopt(file);
  const breakers = await db.all<Row>('select * from breakers order by rowid');
  expect(breakers).toHaveLength(4);
  expect(breakers).toEqual(
    rowsOf(before, 'circuit_breakers').map((breaker) => ({
      ...parsed(breaker.config),
      id: breaker.agent_id,
      state: breaker.state,
      cooldown_until: timeOf(breaker.cooldown_until),
      is_held: 0,
      half_open_successes: 0,
      failure_rate_threshold: null,
      minimum_calls: 10,
      failure_weights: '{}',
      cooldown_factor: 1,
      max_cooldown_seconds: 3_600,
      consecutive_trips: 0,
      reason: null,
      total_failures: breaker.total_failures,
      total_successes: breaker.total_successes,
      trip_count: breaker.trip_count,
      last_failure_at: timeOf(breaker.last_failure_time),
      last_success_at: timeOf(breaker.last_success_time),
      created_at: timeOf(breaker.created_at),
      updated_at: timeOf(breaker.updated_at),
      // Of no boot of ours: the wall clock counts.
      clock_boot_id: null,
      clock_boot_at: null,
    })),
  );
});

test('the original is kept aside row by row, and the log says where', async () => {
  const { file, before } = legacyCopy();
  const log = recordingLog();
  const db = await adopt(file, log);
  const copy = newestBackup(db.backupDir) ?? '';
  expect(copy).toMatch(/agent_runtime-20261120T120000000Z-before-adoption\.db$/);
  expect(contentOf(copy)).toEqual(before);
  expect(log.lines).toEqual(['info: database saved before its schema changes']);
});

test('new ids go on after the last that the earlier server gave, deleted ones included', async () => {
  const { file } = legacyCopy();
  const python = connect(file);
  python.pragma('foreign_keys = off');
  python.exec(
    "delete from tasks where id = 18; insert into tasks (id, title) values (40, 'x'); delete from tasks where id = 40",
  );
  python.close();
  const db = await adopt(file);
  const added = async (table: string, columns: string, values: string) => {
    await db.run(`insert into ${table} (${columns}, created_at) values (${values}, 1)`);
    return db.get<{ id: number }>(`select max(id) as id from ${table}`);
  };
  expect(await added('goals', 'name, description, updated_at', "'n', 'd', 1")).toEqual({ id: 4 });
  expect(await added('tasks', 'title, updated_at', "'t', 1")).toEqual({ id: 41 });
  expect(
    await added(
      'relay_results',
      'pipeline_id, step_index, agent_id, status, quality_score, l_score',
      "'d5f200a0-d80', 1, 'analyzer', 'passed', 1, 1",
    ),
  ).toEqual({ id: 2 });
});

test('nothing of the old tables is left, and the result is sound', async () => {
  const { file } = legacyCopy();
  const db: Store = await adopt(file);
  expect(await db.all("select name from sqlite_master where name like 'legacy%' or name like 'circuit%'")).toEqual([]);
  expect(await db.all('select * from pragma_foreign_key_check')).toEqual([]);
  expect(await db.check()).toBeUndefined();
});

test('a database is adopted once: the next start finds it done', async () => {
  const { file } = legacyCopy();
  (await adopt(file)).close();
  const log = recordingLog();
  const db = await adopt(file, log);
  expect(await db.get('select count(*) as count from tasks')).toEqual({ count: 18 });
  expect(log.lines).toEqual([]);
});
