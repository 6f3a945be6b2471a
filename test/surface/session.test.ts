import { expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

type Args = Record<string, unknown>;

/** A call that is clear, with what its answer has; texts such as $job stand for what an earlier answer had. */
type Clear = [tool: string, args: Args, answer: Args, keep?: Record<string, string>];
/** A call that is not, with what its error says. */
type Unclear = [tool: string, args: Args, error: { code: string; message: RegExp; hint: RegExp }];

const text = expect.any(String);

/** What models get wrong: other names, numbers and JSON as text, other words and cases, ids with a #, dates without time. */
const clear: Clear[] = [
  ['runtime_status', {}, { next: text }],
  ['create_goal', { title: 'Shop', desc: 'A web shop.' }, { id: 1, name: 'Shop', description: 'A web shop.' }],
  [
    'create_goal',
    { name: 'Later', description: 'Another.', metadata: '{"owner": "ada"}' },
    { metadata: { owner: 'ada' } },
  ],
  [
    'decompose_goal',
    {
      id: '1',
      plan: '[{"title": "Design"}, {"title": "Build", "dependencies": ["design"]}, {"name": "Test", "deps": 1}]',
    },
    { tasks_created: [1, 2, 3], dependencies: { 2: [1], 3: [2] } },
  ],
  [
    'create_task',
    { name: 'Deploy', goal: 1, priority: '8', blockedBy: '#3', id: 'deploy' },
    { id: 4, key: 'deploy', dependencies: [3] },
  ],
  [
    'create_task',
    { title: 'Write docs', due: '2099-12-01', priority: 3 },
    { id: 5, deadline: '2099-12-01T23:59:59.000Z' },
  ],
  [
    'create_task',
    { title: 'Wait', notBefore: '2099-01-01T09:00+02:00', goal_id: '#1' },
    { not_before: '2099-01-01T07:00:00.000Z', goal_id: 1 },
  ],
  ['create_task', { title: 'Plain', description: null, goal_id: null, key: null }, { id: 7, goal_id: null }],
  [
    'create_tasks',
    {
      items: [
        { subject: 'Logo', key: 'logo' },
        { title: 'Banner', requires: 'logo', acceptanceCriteria: 'It fits.' },
      ],
    },
    { tasks_created: [8, 9], keys: { logo: 8 } },
  ],
  ['create_tasks', { tasks: '[{"title": "One"}, {"title": "Two", "depends_on": [0]}]' }, { ids: '10-11' }],
  ['list_tasks', { state: 'todo', limit: '500' }, { total: 11 }],
  ['list_tasks', { status: 'Ready', scope: 'ALL' }, { tasks: expect.any(Array) }],
  ['list_tasks', { status_filter: 'BLOCKED', goal: 1, fields: 'verbose' }, { total: 4 }],
  ['list_tasks', { query: 'logo' }, { total: 1, tasks: [{ id: 8 }] }],
  ['get_task', { id: '#4' }, { id: 4, dependencies: [3] }],
  ['get_task', { taskId: 'DEPLOY'.toLowerCase(), fields: 'detailed' }, { id: 4 }],
  ['get_task', { task: 'task 8' }, { id: 8, key: 'logo' }],
  ['get_goal', { id: '1' }, { id: 1, progress: { total: 5 } }],
  ['list_goals', { state: 'Open' }, { total: 2 }],
  ['get_next_task', { goal: '1' }, { id: 1 }],
  [
    'claim_next_task',
    { goal_id: '#1', agent_id: 'ada' },
    { id: 1, claim_token: 1, worker_id: 'ada' },
    { token: 'claim_token' },
  ],
  [
    'update_task_status',
    { id: 1, state: 'done', output: 'Drawn.', token: '$token' },
    { status: 'completed', now_ready: [2] },
  ],
  ['update_task_status', { task_id: '2', status: 'In Progress' }, { status: 'in_progress', claim_token: 1 }],
  ['update_task_status', { task_id: 2, status: 'in-progress', notes: 'Half way.' }, { status: 'in_progress' }],
  ['heartbeat', { taskId: 2 }, { renewed: 1 }],
  [
    'update_task_status',
    { task_id: 2, status: 'FINISHED', result: 'Built.', tokens: '120' },
    { status: 'completed', now_ready: [3] },
  ],
  ['update_task_status', { task_id: 3, status: 'error', reason: 'No browser.' }, { status: 'failed' }],
  ['update_task_status', { task_id: 3, status: 'open' }, { status: 'pending', ready: true }],
  ['edit_task', { id: 'deploy', dependsOn: '1, 2', priority: '9' }, { id: 4, ready: true }],
  ['edit_task', { task_id: 5, deadline: null, acceptance_criteria: 'It is short.' }, { id: 5 }],
  ['decompose_task', { id: 7, subtasks: [{ title: 'a' }, { title: 'b', after: undefined }] }, { subtasks: [12, 13] }],
  ['update_goal', { id: 2, state: 'canceled' }, { status: 'cancelled' }],
  ['save_task_template', { name: 'release', tasks: [{ title: 'Tag {{v}}', key: 'tag-{{v}}' }] }, { parameters: ['v'] }],
  ['create_tasks', { template: 'release', params: { v: '1.0' } }, { keys: { 'tag-1.0': 14 } }],
  ['claim_worker_slot', { worker: 'bob' }, { slot: 1 }],
  ['claim_task', { task_id: 8, worker_id: 'bob', slot: '1' }, { taskId: 'logo', claim_token: 1 }],
  ['update_task', { id: 8, status: 'completed', worker: 'bob', result: 'Drawn.' }, { status: 'done' }],
  ['add_task', { key: 'paint', details: 'Paint the wall.', deps: 'logo' }, { id: 'paint' }],
  ['get_available_tasks', { max: 5 }, { count: 5 }],
  [
    'submit_background_task',
    { prompt: 'Say hello.', model_params: '{"max_tokens": "100"}', priority: '7' },
    { status: text },
    { job: 'task_id' },
  ],
  [
    'submit_background_task',
    { task: 'Go on.', dependencies: '$job', id: undefined },
    { status: 'pending' },
    { second: 'task_id' },
  ],
  [
    'wait_for_tasks',
    { ids: ['$job', '$second'], wait_seconds: 120 },
    { done: true, tasks: [{ result: 'Hello.' }, { result: 'Hello.' }] },
  ],
  ['check_task_status', { job_id: '$job' }, { status: 'completed', output_tokens: expect.any(Number) }],
  ['get_task_result', { id: '$job', max_length: 3 }, { result: 'Hel', next_offset: 3 }],
  ['list_background_tasks', { state: 'finished', count: 5 }, { total: 2 }],
  ['run_goal', { id: '1', verify: 'false' }, { goal_id: 1 }, { run: 'run_id' }],
  ['cancel_task', { run_id: '$run' }, { status: text }],
  ['submit_job', { job_type: 'generic', params: '{"note": "x"}' }, { status: text }, { plain: 'job_id' }],
  ['wait_for_tasks', { job_id: '$plain' }, { done: true }],
  ['get_job_status', { task_id: '$plain' }, { status: 'completed' }],
  ['list_jobs', { state: 'done', type: 'generic' }, { total: 1 }],
  [
    'create_relay_pipeline',
    { title: 'R', goal: 'A text', agents: '["[Researcher]", "Writer"]' },
    { agents: ['researcher', 'Writer'] },
    { relay: 'pipeline_id' },
  ],
  ['get_relay_baton', { id: '$relay' }, { baton: expect.any(Object) }],
  [
    'advance_relay',
    { relay_id: '$relay', quality_score: '0.9', l_score: '0.8', tokens: '100', result: 'Facts.' },
    { success: true },
  ],
  ['get_relay_status', { pipeline: '$relay', fields: 'long' }, { current_step: 1 }],
  ['list_relay_pipelines', { state: 'Running' }, { total: 1 }],
  ['circuit_breaker_trip', { agent: 'Researcher', hold: 'yes' }, { agent_id: 'researcher', held: true }],
  [
    'circuit_breaker_record_failure',
    { agent: 'writer', type: 'Rate Limit', message: '429' },
    { failure_recorded: true },
  ],
  ['circuit_breaker_reset', { id: 'researcher' }, { new_state: 'CLOSED' }],
  ['get_events', { subject: 'Task', subject_id: 1, max_results: '3' }, { count: 3 }],
  ['get_metrics', { window_minutes: '30' }, { window_minutes: 30 }],
];

const unclear: Unclear[] = [
  ['get_task', {}, { code: 'invalid', message: /task_id is missing/, hint: /task_id: / }],
  ['get_task', { task_id: 99 }, { code: 'not_found', message: /No task has id 99/, hint: /list_tasks/ }],
  [
    'create_task',
    { title: 'T', urgency: 'high' },
    { code: 'invalid', message: /"urgency" of create_task.*takes: title/, hint: /Leave out urgency/ },
  ],
  [
    'create_task',
    { title: 'T', prioritty: 3 },
    { code: 'invalid', message: /"prioritty"/, hint: /Did you mean priority/ },
  ],
  [
    'create_task',
    { title: 'T', priority: 'very high' },
    { code: 'invalid', message: /priority: expected whole number, 1 to 10 \(got "very high"\)/, hint: /1 to 10/ },
  ],
  [
    'create_tasks',
    { tasks: [{ title: 'a' }, { title: '' }] },
    { code: 'invalid', message: /tasks\[1\]\.title/, hint: /instruction/ },
  ],
  [
    'create_task',
    { title: 'T', deadline: '2099-12-01T09:00' },
    { code: 'invalid', message: /deadline: expected time/, hint: /zone/ },
  ],
  [
    'update_task_status',
    { task_id: 5, status: 'perhaps' },
    { code: 'invalid', message: /status: expected pending\|in_progress/, hint: /status/ },
  ],
  ['createTask', { title: 'T' }, { code: 'not_found', message: /no tool "createTask"/, hint: /create_task/ }],
  ['do_everything', {}, { code: 'not_found', message: /no tool/, hint: /tools\/list/ }],
  [
    'get_task',
    { task_id: '$job' },
    { code: 'not_found', message: /is the id of a background task/, hint: /check_task_status/ },
  ],
  ['check_task_status', { task_id: '#5' }, { code: 'not_found', message: /5/, hint: /get_task|list_background_tasks/ }],
];

it('a session of more than sixty calls, with the mistakes that models make: none that is clear is refused, and an error says what to do', async () => {
  const vendor = await startAnthropicServer({ reply: () => 'Hello.' });
  onTestFinished(() => vendor.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: vendor.url };
  const server = await connectServer({ home: tempDir(), env });
  const kept = new Map<string, unknown>();
  const filled = (args: Args): Args =>
    JSON.parse(JSON.stringify(args), (_, value) => (kept.has(value) ? kept.get(value) : value));

  expect(clear.length).toBeGreaterThan(60);
  const refused: string[] = [];
  for (const [tool, args, answer, keep = {}] of clear) {
    const call = `${tool} ${JSON.stringify(args)}`;
    const { isError, data, text: shown } = await server.call(tool, filled(args));
    if (isError) refused.push(`${call}: ${shown}`);
    else expect.soft(data, call).toMatchObject(answer);
    for (const [name, key] of Object.entries(keep)) kept.set(`$${name}`, data[key]);
  }
  expect.soft(refused).toEqual([]);
  for (const [tool, args, { code, message, hint }] of unclear) {
    const { isError, data } = await server.call(tool, filled(args));
    expect.soft([tool, args, isError, data.code]).toEqual([tool, args, true, code]);
    expect.soft(data.message, tool).toMatch(message);
    expect.soft(data.hint, `${tool}: ${data.message}`).toMatch(hint);
  }
});
