import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import type { AnyTool } from '../../../src/tools/call/define-tool.js';
import { inputSchema } from '../../../src/tools/call/input-schema.js';
import { otherNames } from '../../../src/tools/call/other-names.js';
import { parseInput } from '../../../src/tools/call/parse-input.js';
import { namesFor } from '../../../src/tools/call/read-loosely.js';
import { chooseTools, findTool } from '../../../src/tools/index.js';

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });

type Case = [tool: string, given: unknown, read: Record<string, unknown>];

const read: Case[] = [
  ['create_task', { title: 'T', priority: '8' }, { title: 'T', priority: 8 }],
  ['create_task', { name: 'T' }, { title: 'T' }],
  ['create_task', { title: 'T', depends_on: [1] }, { title: 'T', dependencies: [1] }],
  ['create_task', { title: 'T', dependencies: '1' }, { title: 'T', dependencies: ['1'] }],
  ['create_task', { title: 'T', dependencies: '["a", 2]' }, { title: 'T', dependencies: ['a', 2] }],
  ['create_task', { title: 'T', dependencies: 'auth' }, { title: 'T', dependencies: ['auth'] }],
  ['create_task', { title: 'T', description: null, goal_id: null }, { title: 'T' }],
  ['create_task', { title: 'T', metadata: '{"a": 1}' }, { title: 'T', metadata: { a: 1 } }],
  ['create_task', { title: 'T', deadline: '2026-12-01' }, { title: 'T', deadline: '2026-12-01T23:59:59Z' }],
  ['create_task', { title: 'T', notBefore: '2026-12-01' }, { title: 'T', not_before: '2026-12-01T00:00:00Z' }],
  ['create_task', { title: 'T', deadline: '2026-12-01 09:30Z' }, { title: 'T', deadline: '2026-12-01T09:30:00Z' }],
  ['create_task', { title: 'T', onDependencyFailure: 'SKIP' }, { title: 'T', on_dependency_failure: 'skip' }],
  ['create_tasks', { tasks: '[{"title": "a", "id": "a"}]' }, { tasks: [{ title: 'a', key: 'a' }] }],
  ['create_tasks', { tasks: [{ title: 'a', depends_on: 'b' }] }, { tasks: [{ title: 'a', dependencies: ['b'] }] }],
  [
    'decompose_goal',
    { id: '1', tasks: [{ title: 'a', dependencies: [] }] },
    { goal_id: 1, strategy: 'sequential', planner: 'auto', max_tasks: 8, tasks: [{ title: 'a', depends_on: [] }] },
  ],
  ['get_task', { id: 3 }, { task_id: 3 }],
  ['get_task', { taskId: 'auth' }, { task_id: 'auth' }],
  ['get_goal', { id: '3' }, { goal_id: 3 }],
  ['claim_task', { task_id: 3, worker_id: 'ada', slot: '1' }, { taskId: 3, workerId: 'ada', workerSlot: 1 }],
  ['update_task_status', { task_id: 1, status: 'done' }, { task_id: 1, status: 'completed' }],
  ['update_task_status', { task_id: 1, status: 'In Progress' }, { task_id: 1, status: 'in_progress' }],
  ['update_task_status', { task_id: 1, state: 'canceled' }, { task_id: 1, status: 'cancelled' }],
  ['update_task', { taskId: 1, status: 'completed', workerId: 'w' }, { taskId: 1, status: 'done', workerId: 'w' }],
  ['list_tasks', { status_filter: 'todo', limit: '500' }, { status: 'pending', limit: 200 }],
  ['list_jobs', { status: 'in_progress' }, { status_filter: 'running' }],
  ['list_tasks', { scope: 'ALL', fields: 'verbose' }, { scope: 'all', fields: 'full' }],
  ['submit_background_task', { prompt: 'Say hello.' }, { task_description: 'Say hello.' }],
  ['submit_background_task', { prompt: 'Hi', board_task_id: 4 }, { task_description: 'Hi', task_id: 4 }],
  [
    'submit_background_task',
    { prompt: 'Hi', model_params: '{"max_tokens": "100"}' },
    { task_description: 'Hi', model_params: { max_tokens: 100 } },
  ],
  ['check_task_status', { task_id: 1 }, { task_id: '1' }],
  ['get_events', { subject: 'Task', subject_id: 1 }, { subject: 'task', subject_id: 1 }],
  ['wait_for_tasks', { task_id: 'x', wait_seconds: 100 }, { task_ids: ['x'], mode: 'all', timeout_seconds: 50 }],
  ['get_relay_status', { pipeline_id: 'x', timeout_seconds: 20 }, { pipeline_id: 'x', wait_seconds: 20 }],
  ['circuit_breaker_trip', { agent_id: 'a', hold: 'true' }, { agent_id: 'a', hold: true }],
  ['clean_all_tasks', { confirm: 'true' }, { confirm: true }],
  ['edit_task', { task_id: 1, deadline: null }, { task_id: 1, deadline: null }],
];

it.each(read)('%s %j is read as it is meant', (tool, given, meant) => {
  expect(parseInput(findTool(tool), given)).toEqual(meant);
});

it.each([
  ['heartbeat', { taskId: 2 }, { task_id: 2 }],
  ['get_goal', { goal_id: '#3' }, { goal_id: 3 }],
  ['update_task', { id: 8, status: 'done', worker: 'w' }, { taskId: 8, status: 'done', workerId: 'w' }],
  ['add_task', { key: 'paint', details: 'Paint.' }, { id: 'paint', description: 'Paint.' }],
  ['create_tasks', { template: 't', params: { v: '1' } }, { template: 't', parameters: { v: '1' } }],
  [
    'update_task_status',
    { task_id: 1, status: 'failed', reason: 'No.' },
    { task_id: 1, status: 'failed', error: 'No.' },
  ],
  ['update_task_status', { task_id: 1, status: 'done', token: 4 }, { task_id: 1, status: 'completed', claim_token: 4 }],
  ['get_all_tasks', { count: 3 }, { limit: 3 }],
])('%s %j too', (tool, given, meant) => {
  expect(parseInput(findTool(tool), given)).toEqual(meant);
});

it.each(Object.entries(otherNames).flatMap(([argument, names]) => names.map((name) => [name, argument] as const)))(
  '%s is accepted for %s by some tool that takes that, or named by its refusal',
  (name, argument) => {
    const taking = tools.filter(
      ({ input }) =>
        argument in input.shape || JSON.stringify(inputSchema({ input } as AnyTool)).includes(`"${argument}":`),
    );
    expect(taking.length, `no tool takes ${argument}`).toBeGreaterThan(0);
    const [shape] = taking.map(({ input }) => input.shape).filter((fields) => argument in fields && !(name in fields));
    if (shape) expect(namesFor(name, shape)).toContain(argument);
  },
);

it('names of agents are read in any case, and as they are drawn', () => {
  const given = { name: 'R', goal: 'G', agent_types: ['[Researcher]', 'Domain Expert', 'my-own'] };
  expect(parseInput(findTool('create_relay_pipeline'), given)).toMatchObject({
    agent_types: ['researcher', 'domain_expert', 'my-own'],
  });
});

it('what was read as something else is said, where that could matter', () => {
  const notes: string[] = [];
  parseInput(findTool('list_tasks'), { limit: 500 }, (text) => notes.push(text));
  parseInput(findTool('create_task'), { title: 'T', deadline: '2026-12-01' }, (text) => notes.push(text));
  parseInput(findTool('create_task'), { title: 'T', priority: '8' }, (text) => notes.push(text));
  expect(notes).toEqual([
    'limit 500 was cut to 200, the most there may be.',
    'deadline "2026-12-01" was read as 2026-12-01T23:59:59Z.',
  ]);
});

describe('what cannot be read', () => {
  function refusal(tool: string, given: unknown): RuntimeError {
    try {
      parseInput(findTool(tool), given);
    } catch (error) {
      if (error instanceof RuntimeError) return error;
    }
    throw new Error(`${tool} ${JSON.stringify(given)} was read.`);
  }

  it.each<Case>([
    [
      'create_task',
      { title: 'T', priority: 11 },
      { message: /^priority: .*<=10 \(got 11\)\.$/, hint: /10 is done first/ },
    ],
    [
      'create_task',
      { title: 'T', priority: 'high' },
      { message: /^priority: expected whole number, 1 to 10 \(got "high"\)\.$/, hint: /^priority: 1 to 10/ },
    ],
    [
      'edit_task',
      { task_id: 1, title: null },
      { message: /^title: expected text \(got null\)\.$/, hint: /instruction/ },
    ],
    [
      'get_task',
      {},
      { message: /^task_id is missing: expected whole number or text\.$/, hint: /^task_id: A task's id/ },
    ],
    [
      'get_task',
      { task_id: [] },
      { message: /^task_id: expected whole number or text \(got \[\]\)\.$/, hint: /^task_id/ },
    ],
    [
      'heartbeat',
      { id: 1 },
      { message: /^Unknown argument "id" of heartbeat \(got 1\)\. It takes: task_id/, hint: /Did you mean task_id/ },
    ],
    [
      'create_task',
      { titel: 'T' },
      { message: /"titel".*It takes: title, .*title is missing/, hint: /Did you mean title in place of titel\?/ },
    ],
    [
      'create_tasks',
      { tasks: [{ title: 'a' }, { title: 'b', dependancies: ['a'] }] },
      {
        message: /"tasks\[1\]\.dependancies" of create_tasks \(got \["a"\]\)\. tasks\[1\] takes: title, .*dependencies/,
        hint: /Did you mean dependencies/,
      },
    ],
    [
      'create_tasks',
      { tasks: [{ title: 'a', priority: {} }] },
      { message: /^tasks\[0\]\.priority: expected whole number, 1 to 10 \(got \{\}\)/, hint: /^tasks\[0\]\.priority/ },
    ],
    [
      'decompose_goal',
      { goal_id: 1, tasks: [{ title: 'a', wherefore: 1 }] },
      { message: /"tasks\[0\]\.wherefore".*tasks\[0\] takes: title, description/, hint: /Leave out wherefore/ },
    ],
    [
      'submit_background_task',
      { prompt: 'x', model_params: { max_token: 5 } },
      { message: /"model_params\.max_token".*model_params takes: max_tokens/, hint: /Did you mean max_tokens/ },
    ],
    [
      'create_task',
      { title: 'T', depends_on: [1], dependencies: [2] },
      { message: /"depends_on"/, hint: /Did you mean dependencies/ },
    ],
    [
      'update_task_status',
      { task_id: 1, status: 'sideways' },
      {
        message: /^status: expected pending\|in_progress\|completed\|failed\|cancelled \(got "sideways"\)/,
        hint: /^status/,
      },
    ],
    [
      'create_task',
      { title: 'T', deadline: '2026-12-01T09:30:00' },
      { message: /^deadline: expected time \(got "2026-12-01T09:30:00"\)/, hint: /ISO 8601 with a zone/ },
    ],
    [
      'create_task',
      'make it',
      { message: /^The arguments of create_task: expected JSON object \(got "make it"\)/, hint: /\{"title": value/ },
    ],
  ])(
    '%s %j: the error names the place, the value, what is expected and what was meant',
    (tool, given, { message, hint }) => {
      const error = refusal(tool, given);
      expect(error.code).toBe('invalid');
      expect(error.message).toMatch(message as RegExp);
      expect(error.hint).toMatch(hint as RegExp);
    },
  );

  it('a list that is wrong everywhere is explained by its first items', () => {
    const tasks = Array.from({ length: 500 }, () => ({ titel: 'x' }));
    expect(refusal('create_tasks', { tasks }).message).toMatch(/tasks\[0\]\.titel.*And 995 more\.$/);
    expect(refusal('create_tasks', { tasks }).message.length).toBeLessThan(1_500);
  });
});
