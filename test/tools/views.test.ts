import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { scripted } from '../runner/fixtures/background.js';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

async function serverWithModel(): Promise<ConnectedServer> {
  const model = await startAnthropicServer();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: model.url };
  return connectServer({ home: tempDir(), env });
}

it('the first runtime_status of a session counts that session, and the size counts the write-ahead log', async () => {
  const server = await connectServer({ home: tempDir() });
  const status = await server.ok('runtime_status');
  expect(status.all.sessions).toBe(1);
  const { path, size_bytes } = status.database;
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  expect(size_bytes).toBeGreaterThan(statSync(path).size);
  expect((await server.ok('runtime_status')).all.sessions).toBe(1);
});

it('job types that submit_job refuses name the tool that submits them, and a shell is told the command', async () => {
  const home = tempDir();
  const server = await connectServer({ home });
  const { agents } = await server.ok('list_agents');
  const tools = Object.fromEntries(agents.map(({ type, submit_with }: Record<string, string>) => [type, submit_with]));
  expect(tools).toMatchObject({ llm: 'submit_background_task', decompose: 'decompose_goal', relay_step: 'run_relay' });
  expect(tools.generic).toBeUndefined();
  for (const [type, tool] of Object.entries(tools)) {
    if (tool === undefined) continue;
    expect((await server.call('submit_job', { type, payload: {} })).data.hint).toBe(`Call ${tool}.`);
  }
  const refused = await runCli(['submit', '--type', 'llm', '--payload', '{}'], { home });
  expect(refused.stderr).toMatch(/hint: Run `\S+ tool submit_background_task`\./);
});

it('tasks for workers have their title beside their description', async () => {
  const server = await connectServer({ home: tempDir() });
  await server.ok('create_task', { title: 'Paint it', description: 'Two coats of red.' });
  const expected = { title: 'Paint it', description: 'Two coats of red.' };
  for (const tool of ['get_available_tasks', 'get_all_tasks']) {
    expect((await server.ok(tool)).tasks).toMatchObject([expected]);
  }
  const { slot, worker_id } = await server.ok('claim_worker_slot');
  expect(await server.ok('claim_task', { taskId: '1', workerId: worker_id, workerSlot: slot })).toMatchObject(expected);
});

it('the status of a model’s job has its answer, cut with the way to read on', async () => {
  const server = await serverWithModel();
  const submit = async (text: string) => {
    const task_description = scripted({ pieces: [text] }, 'Write.');
    const { task_id } = await server.ok('submit_background_task', { task_description });
    await server.ok('wait_for_tasks', { task_ids: [task_id], timeout_seconds: 20 });
    return task_id;
  };
  const short = await submit('All done.');
  expect(await server.ok('get_job_status', { job_id: short })).toMatchObject({ answer: 'All done.' });
  const { contents } = await server.client.readResource({ uri: `job://${short}` });
  expect(JSON.parse(String((contents[0] as { text: string }).text)).answer).toBe('All done.');
  const long = await submit(`${'a'.repeat(4_000)}${'b'.repeat(1_000)}`);
  const status = await server.ok('get_job_status', { job_id: long });
  expect(status.answer).toBe('a'.repeat(4_000));
  expect(status.answer_cut).toBe(
    `1000 of 5000 characters follow. Call get_task_result with task_id ${long} and offset 4000.`,
  );
  const rest = await server.ok('get_task_result', { task_id: long, offset: 4_000 });
  expect(rest.result).toBe('b'.repeat(1_000));
});

it('a task that a job works on is held by that job, not until a year far away', async () => {
  const server = await serverWithModel();
  await server.ok('create_task', { title: 'Think' });
  const task_description = scripted({ pieces: ['Hm '], ending: 'hang' }, 'Think.');
  const { task_id } = await server.ok('submit_background_task', { task_description, task_id: 1 });
  const { all } = await server.ok('runtime_status');
  expect(all.in_progress).toMatchObject([{ id: 1, until: `held by job ${task_id}` }]);
  const refused = await server.call('update_task_status', { task_id: 1, status: 'completed' });
  expect(refused.data).toMatchObject({
    code: 'already_claimed',
    message: `Task 1 is held by job ${task_id} until that job ends.`,
  });
  expect((await server.ok('get_task', { task_id: 1 })).lease_expires_at).toBeUndefined();
  await server.ok('cancel_task', { task_id });
});
