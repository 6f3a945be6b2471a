import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

/** Characters of an answer as a client hands it to its model. */
export interface AnswerSize {
  call: string;
  /** Version 0.1.0, on a board like this one; undefined where it was not measured. */
  before: number | undefined;
  now: number;
  /** How many items a list shows. */
  rows?: number | undefined;
  /** Most that it may be. */
  limit: number;
}

const text = 'A description of ordinary length, such as a model would write it for a task of some size. '.repeat(4);

/** The answers that sessions read most, of a server on stdio with 500 tasks, 60 goals, 60 jobs and a relay. */
export async function measureAnswers(): Promise<AnswerSize[]> {
  const server = await connectServer({ home: tempDir() });
  const sizes: AnswerSize[] = [];
  async function measure(call: string, limit: number, before: number | undefined, args: object = {}) {
    const [tool = ''] = call.split(' ');
    const { data, text: shown } = await server.call(tool, args as Record<string, unknown>);
    const now = Math.max(JSON.stringify(data).length, shown.length);
    sizes.push({ call, before, now, rows: data?.total === undefined ? undefined : data.count, limit });
    return data;
  }
  await measure('runtime_status (empty)', 2_000, 493);
  await measure('create_goal', 500, undefined, { name: 'Big', description: text });
  await measure('create_tasks (500)', 300, 7_200, { tasks: tasksOf(500), goal_id: 1 });
  await measure('create_task', 600, undefined, { title: 'One more', description: text.repeat(10), key: 'more' });
  await measure('list_tasks', 2_000, 1_868);
  await measure('list_tasks (ready)', 2_000, undefined, { status: 'ready' });
  await measure('list_tasks (blocked)', 2_000, undefined, { status: 'blocked' });
  await measure('get_next_task', 2_000, undefined);
  await measure('get_task', 2_000, 794, { task_id: 10 });
  await measure('get_goal', 2_000, 995, { goal_id: 1 });
  await measure('get_available_tasks', 2_000, 1_704);
  const { id: task_id, claim_token } = await measure('claim_next_task', 2_000, 854);
  await measure('edit_task', 200, undefined, { task_id: 40, description: text.repeat(10) });
  const done = { task_id, claim_token, status: 'completed', result: 'r'.repeat(3_000) };
  await measure('update_task_status (3,000 characters of result)', 200, 3_748, done);
  await measure('update_goal', 250, undefined, { goal_id: 1, description: text.repeat(10) });
  await measure('runtime_status (500 tasks)', 2_000, 1_154);
  await fill(server);
  await measure('list_goals', 2_000, undefined);
  await measure('list_jobs', 2_000, undefined);
  await measure('list_relay_pipelines', 2_000, undefined);
  await measure('get_events', 2_000, 1_874);
  await measureRelay(server, measure);
  await measure('get_metrics', 2_000, 511);
  return sizes;
}

function tasksOf(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    title: `Task ${index} with a title of a usual length`,
    key: `task-${index}`,
    description: text,
    ...(index > 0 && index % 2 === 0 ? { dependencies: [`task-${index - 1}`] } : {}),
  }));
}

async function fill(server: ConnectedServer): Promise<void> {
  for (let index = 0; index < 60; index++) {
    await server.ok('create_goal', { name: `Goal ${index} with a name of a usual length`, description: text });
    await server.ok('submit_job', { type: 'generic', payload: { note: text }, run_at: '2099-01-01T00:00:00Z' });
    await server.ok('create_relay_pipeline', { name: `Relay ${index}`, goal: text, preset: 'quick' });
  }
}

type Measure = (call: string, limit: number, before: number | undefined, args: object) => Promise<unknown>;

async function measureRelay(server: ConnectedServer, measure: Measure): Promise<void> {
  const { pipeline_id } = await server.ok('create_relay_pipeline', { name: 'Deep', goal: text, preset: 'deep' });
  await measure('get_relay_status (new, 7 agents)', 1_500, 2_900, { pipeline_id });
  for (let step = 0; step < 6; step++) {
    const advance = { pipeline_id, quality_score: 0.9, l_score: 0.9, tokens_used: 1_000, output: text };
    await server.ok('advance_relay', { ...advance, output_summary: text });
  }
  await measure('get_relay_status (6 of 7 steps done)', 1_500, 3_200, { pipeline_id });
}
