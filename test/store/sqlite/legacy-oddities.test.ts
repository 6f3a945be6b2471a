import { expect, test } from 'vitest';
import type { Store } from '../open-store.js';
import { adopt, miscountedTasks, readyTasks, writeLegacyDatabase } from './legacy-database.js';

const task = (id: number, more: Record<string, string | number | null> = {}) => ({ id, title: `task ${id}`, ...more });

async function metadataOf(db: Store, id: number): Promise<unknown> {
  const row = await db.get<{ metadata: string }>('select metadata from tasks where id = ?', id);
  return JSON.parse(row?.metadata ?? 'null');
}

const edgesOf = (db: Store) =>
  db.all<{ task_id: number; depends_on: number; state: string }>('select * from task_dependencies');

test('dependencies on what is not there, and on the task itself, are dropped and named in the metadata', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: { tasks: [task(1, { dependencies: '[99, 1, 2, 2, "2"]', metadata: '{"kept": true}' }), task(2)] },
    }),
  );
  expect(await edgesOf(db)).toEqual([{ task_id: 1, depends_on: 2, state: 'waiting' }]);
  expect(await metadataOf(db, 1)).toEqual({ kept: true, legacy_missing_dependencies: [99, 1] });
  expect(await metadataOf(db, 2)).toEqual({});
  expect(await miscountedTasks(db)).toEqual([]);
  expect(await readyTasks(db)).toEqual([2]);
});

test('tasks of a cycle keep their dependencies and go on waiting for each other', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        tasks: [
          task(1, { dependencies: '[3]' }),
          task(2, { dependencies: '[1]' }),
          task(3, { dependencies: '[2]' }),
          task(4),
        ],
      },
    }),
  );
  expect(await edgesOf(db)).toHaveLength(3);
  expect(await miscountedTasks(db)).toEqual([]);
  expect(await readyTasks(db)).toEqual([4]);
});

test('priorities outside of 1 to 10 are brought inside, with the old one in the metadata', async () => {
  const priorities = [99, 0, -3, null, 7.5, 'high', 10];
  const db = await adopt(
    writeLegacyDatabase({ rows: { tasks: priorities.map((priority, index) => task(index + 1, { priority })) } }),
  );
  const rows = await db.all<{ priority: number; metadata: string }>('select priority, metadata from tasks order by id');
  expect(rows.map(({ priority, metadata }) => [priority, JSON.parse(metadata).legacy_priority])).toEqual([
    [10, 99],
    [1, 0],
    [1, -3],
    [5, undefined],
    [7, 7.5],
    [5, 'high'],
    [10, undefined],
  ]);
});

test('a status that is missing or unknown becomes pending, the unknown one named in the metadata; upper case is understood', async () => {
  const statuses = [null, 'blocked', 'COMPLETED', 'In_Progress'];
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        tasks: [
          ...statuses.map((status, index) => task(index + 1, { status })),
          task(5, { dependencies: '[3]' }),
          task(6, { dependencies: '[2]' }),
        ],
      },
    }),
  );
  const rows = await db.all<{ status: string; metadata: string; claimed_by: string }>(
    'select status, metadata, claimed_by from tasks where id < 5 order by id',
  );
  expect(rows.map((row) => [row.status, row.claimed_by, JSON.parse(row.metadata)])).toEqual([
    ['pending', null, {}],
    ['pending', null, { legacy_status: 'blocked' }],
    ['completed', null, {}],
    ['in_progress', 'earlier server', {}],
  ]);
  expect(await miscountedTasks(db)).toEqual([]);
  expect(await readyTasks(db)).toEqual([1, 2, 5]);
});

test('text that is no JSON is kept as text in the metadata', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        goals: [{ id: 1, name: 'g', description: 'd', metadata: '[1, 2]', status: 'paused' }],
        tasks: [
          task(1, { dependencies: '[1, 2', metadata: "{'python': True}" }),
          task(2, { dependencies: '', metadata: null }),
        ],
      },
    }),
  );
  expect(await metadataOf(db, 1)).toEqual({ legacy_dependencies: '[1, 2', legacy_metadata: "{'python': True}" });
  expect(await metadataOf(db, 2)).toEqual({});
  expect(await db.get('select status, metadata from goals')).toEqual({
    status: 'active',
    metadata: JSON.stringify({ legacy_status: 'paused', legacy_metadata: '[1, 2]' }),
  });
});

test('a task of a goal that is gone stands without one, the id in its metadata', async () => {
  const db = await adopt(writeLegacyDatabase({ rows: { tasks: [task(1, { goal_id: 42 })] } }));
  expect(await db.get('select goal_id from tasks')).toEqual({ goal_id: null });
  expect(await metadataOf(db, 1)).toEqual({ legacy_goal_id: 42 });
});

test('times that are missing or unreadable are those of the adoption', async () => {
  const now = Date.UTC(2026, 10, 20, 12);
  const odd = { created_at: 'yesterday', updated_at: null, started_at: 12, completed_at: '2026-01-02T03:04:05+00:00' };
  const db = await adopt(writeLegacyDatabase({ rows: { tasks: [task(1, odd)] } }));
  expect(await db.get('select created_at, updated_at, started_at, completed_at from tasks')).toEqual({
    created_at: now,
    updated_at: now,
    started_at: null,
    completed_at: Date.UTC(2026, 0, 2, 3, 4, 5),
  });
});

const pipeline = (id: string, more: Record<string, string | number | null> = {}) => ({
  pipeline_id: id,
  name: id,
  agents_json: '[{"agent_id": "researcher", "agent_type": "researcher"}, null, "odd", {"agent_type": "analyzer"}]',
  ...more,
});
const baton = (id: string, pipelineId: string, more: Record<string, string | number | null> = {}) => ({
  baton_id: id,
  pipeline_id: pipelineId,
  sequence_position: 1,
  baton_json: `{"baton_id": "${id}", "retry_count": 1}`,
  ...more,
});

test('of six pending batons for one step the last stays open, and none of a relay that has ended', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        relay_pipelines: [pipeline('open', { status: 'failed' }), pipeline('done', { status: 'completed' })],
        relay_batons: [
          ...[1, 2, 3, 4, 5, 6].map((number) => baton(`b${number}`, 'open')),
          baton('b7', 'done', { status: null }),
          baton('b8', 'done', { status: 'passed', baton_json: 'torn {' }),
        ],
      },
    }),
  );
  const batons = await db.all<{ id: string; status: string; retry_count: number; baton: string }>(
    'select id, status, retry_count, baton from relay_batons order by id',
  );
  expect(batons.map(({ id, status }) => `${id} ${status}`)).toEqual([
    ...[1, 2, 3, 4, 5].map((number) => `b${number} set_aside`),
    'b6 pending',
    'b7 set_aside',
    'b8 passed',
  ]);
  expect(batons[5]).toMatchObject({ retry_count: 1, baton: '{"baton_id": "b6", "retry_count": 1}' });
  expect(batons[7]).toMatchObject({ retry_count: 0, baton: '{"legacy_text":"torn {"}' });
  expect(await db.all("select agent_id from relay_steps where pipeline_id = 'open' order by step_index")).toEqual(
    ['researcher', 'agent_step_2', 'agent_step_3', 'analyzer'].map((agent_id) => ({ agent_id })),
  );
});

test('of several passed results of a step the last counts', async () => {
  const result = (id: number, status: string) => ({
    id,
    pipeline_id: 'p',
    step_index: 0,
    agent_id: 'agent_step_1',
    status,
  });
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        relay_pipelines: [pipeline('p')],
        relay_results: [result(1, 'passed'), result(2, 'failed'), result(3, 'passed')],
      },
    }),
  );
  expect(await db.all('select id, agent_id, is_current from relay_results')).toEqual([
    { id: 1, agent_id: 'researcher', is_current: 0 },
    { id: 2, agent_id: 'researcher', is_current: 0 },
    { id: 3, agent_id: 'researcher', is_current: 1 },
  ]);
});

test('failures and events of breakers are taken over, odd settings made whole', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        circuit_breakers: [
          {
            agent_id: 'a',
            state: 'HALF_OPEN',
            config: '{"failure_threshold": 0, "window_seconds": "x", "cooldown_seconds": 0}',
          },
          { agent_id: 'b', state: 'melted', config: 'none' },
        ],
        circuit_failures: [
          {
            failure_id: 'f1',
            agent_id: 'a',
            failure_type: 'timeout',
            error_message: 'slow',
            context: '{"n":1}',
            timestamp: '2026-11-20 10:00:00',
          },
        ],
        circuit_events: [
          {
            event_id: 5,
            agent_id: 'a',
            event_type: 'failure_trip',
            from_state: 'closed',
            to_state: 'open',
            reason: 'r',
            timestamp: '2026-11-20 10:00:00',
          },
        ],
      },
    }),
  );
  const at = Date.UTC(2026, 10, 20, 10);
  expect(
    await db.all('select id, state, failure_threshold, window_seconds, cooldown_seconds from breakers order by id'),
  ).toEqual([
    { id: 'a', state: 'half_open', failure_threshold: 1, window_seconds: 60, cooldown_seconds: 0 },
    { id: 'b', state: 'closed', failure_threshold: 5, window_seconds: 60, cooldown_seconds: 300 },
  ]);
  expect(await db.all('select id, breaker_id, failure_type, error_message, context, at from breaker_failures')).toEqual(
    [{ id: 'f1', breaker_id: 'a', failure_type: 'timeout', error_message: 'slow', context: '{"n":1}', at }],
  );
  expect(await db.all('select at, subject, subject_id, type, data from events')).toEqual([
    {
      at,
      subject: 'breaker',
      subject_id: 'a',
      type: 'failure_trip',
      data: '{"from_state":"closed","to_state":"open","reason":"r"}',
    },
  ]);
});

test('rows whose relay or breaker is gone are kept in the log of events', async () => {
  const db = await adopt(
    writeLegacyDatabase({
      rows: {
        relay_results: [{ id: 1, pipeline_id: 'gone', step_index: 0, agent_id: 'a', status: 'passed' }],
        relay_batons: [baton('b1', 'gone')],
        circuit_failures: [{ failure_id: 'f1', agent_id: 'gone', failure_type: 'timeout' }],
      },
    }),
  );
  const events = await db.all<{ subject: string; subject_id: string; type: string; data: string }>(
    'select subject, subject_id, type, data from events order by id',
  );
  expect(events.map(({ data, ...event }) => ({ ...event, ...JSON.parse(data) }))).toEqual([
    {
      subject: 'relay',
      subject_id: 'gone',
      type: 'orphan_adopted',
      table: 'relay_results',
      row: expect.objectContaining({ id: 1 }),
    },
    {
      subject: 'relay',
      subject_id: 'gone',
      type: 'orphan_adopted',
      table: 'relay_batons',
      row: expect.objectContaining({ baton_id: 'b1' }),
    },
    {
      subject: 'breaker',
      subject_id: 'gone',
      type: 'orphan_adopted',
      table: 'circuit_failures',
      row: expect.objectContaining({ failure_id: 'f1' }),
    },
  ]);
});
