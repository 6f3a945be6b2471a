import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { JsonObject } from '../base/json.js';
import { readConfig } from '../config.js';
import { runnerEnvironment } from '../runner/environment.js';
import { createOutput } from './output.js';

export interface DemoOptions {
  json: boolean;
}

/** What the demo shows at each step; with --json the whole of what it prints. */
interface DemoReport {
  home: string;
  database: string;
  planner: string;
  steps: { tool: string; did: string }[];
  background: { id: string; kind: string; survived_kill_of_pid: number; status: string; outcome: string };
  goal: { status: string; completed: number; total: number };
}

/**
 * The main job, for real: servers started as a client starts them, a goal broken down, tasks worked off, a server killed
 * with SIGKILL while a background task runs, and everything found again by the next one. All in a temporary home, which
 * is left for a look.
 */
export async function runDemo({ json }: DemoOptions): Promise<void> {
  const output = createOutput();
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-demo-'));
  const stage = await setStage(home, (text) => (json ? undefined : output.print(text)));
  const report = await play(stage);
  if (json) output.printJson(report);
}

interface Stage {
  home: string;
  say(text: string): void;
  report: DemoReport;
}

async function setStage(home: string, say: (text: string) => void): Promise<Stage> {
  return {
    home,
    say,
    report: {
      home,
      database: join(home, '.claude', 'agent_runtime.db'),
      planner: '',
      steps: [],
      background: { id: '', kind: '', survived_kill_of_pid: 0, status: '', outcome: '' },
      goal: { status: '', completed: 0, total: 0 },
    },
  };
}

async function play(stage: Stage): Promise<DemoReport> {
  const { say, report, home } = stage;
  say(`A server is started the way an MCP client starts it, in the empty home ${home}\n`);
  const first = await startServer(stage);
  const status = await first.call('runtime_status');
  const model = usableModel(status);
  say(
    model
      ? `   model found: ${model}`
      : "   no key and no model found: the plan will be this client's own, the background work a training job",
  );

  const goal = await planGoal(first, stage, model);
  await workOneTask(first, stage);
  const held = await first.call('claim_next_task');
  note(stage, 'claim_next_task', `task ${held.id} "${held.title}" is taken next, and its worker is about to be killed`);

  const jobId = await startBackgroundWork(first, stage, model);
  await untilItRuns(first, jobId);
  process.kill(first.pid, 'SIGKILL');
  report.background.survived_kill_of_pid = first.pid;
  say(`\n   kill -9 ${first.pid}: the server is dead, the background process is not\n`);

  const second = await startServer(stage);
  const found = await second.call('runtime_status');
  note(stage, 'runtime_status', `the same conversation, resumed: ${String(found.next)}`);
  await readBackgroundResult(second, stage, jobId, model);
  await workTheRest(second, stage, held);

  const ended = await second.call('get_goal', { goal_id: goal });
  const progress = ended.progress as { completed: number; total: number };
  report.goal = { status: String(ended.status), completed: progress.completed, total: progress.total };
  note(stage, 'get_goal', `goal ${goal} is ${ended.status}: ${progress.completed} of ${progress.total} tasks done`);
  await second.close();
  say(`\nAll of it is stored in ${report.database}`);
  say(`Look around:  HOME=${home} agent-runtime tool list_tasks`);
  say(`Clean up:     rm -r ${home}`);
  return report;
}

/** Any key or local server that is set up; not Claude Code, whose login is not in a temporary home. */
export function usableModel(status: Reply): string | undefined {
  const { default: model } = status.models as { default: string | null };
  return model === null || model.startsWith('claude-code') ? undefined : model;
}

const ownPlan = [
  { title: 'Gather the measurements of 150 irises', acceptance: 'Four lengths and a species for each.' },
  {
    title: 'Train a classifier on them',
    depends_on: [0],
    acceptance: 'It names the species of flowers it has not seen.',
  },
  { title: 'Write down how to tell them apart', depends_on: [1] },
  { title: 'Draw the three species', depends_on: [0] },
];

async function planGoal(server: Server, stage: Stage, model: string | undefined): Promise<number> {
  const goal = await server.call('create_goal', {
    name: 'A field guide to irises',
    description: 'A short guide that tells three species of iris apart by the lengths of their petals and sepals.',
  });
  note(stage, 'create_goal', `goal ${goal.id} "${goal.name}"`);
  const plan = await server.call('decompose_goal', {
    goal_id: goal.id as number,
    ...(model ? { strategy: 'hierarchical', max_tasks: 5 } : { tasks: ownPlan, strategy: 'hierarchical' }),
  });
  stage.report.planner = String(plan.planner);
  note(stage, 'decompose_goal', `${plan.count} tasks with dependencies, planned by ${model ?? 'this client itself'}`);
  return goal.id as number;
}

async function workOneTask(server: Server, stage: Stage): Promise<void> {
  const task = await server.call('claim_next_task');
  note(stage, 'claim_next_task', `task ${task.id} "${task.title}", claim_token ${task.claim_token}`);
  await complete(server, stage, task, 'Fisher, 1936: 50 flowers each of three species.');
}

async function complete(server: Server, stage: Stage, task: Reply, result: string): Promise<void> {
  const { id, claim_token } = task as { id: number; claim_token: number };
  await server.call('update_task_status', { task_id: id, status: 'completed', result, claim_token });
  note(stage, 'update_task_status', `task ${id} completed; what waited for it is ready now`);
}

async function startBackgroundWork(server: Server, stage: Stage, model: string | undefined): Promise<string> {
  if (model) {
    const task_description =
      'In about 300 words: how does one tell Iris setosa, versicolor and virginica apart by their petals?';
    const submitted = await server.call('submit_background_task', { task_description });
    stage.report.background.kind = model;
    note(stage, 'submit_background_task', `${submitted.task_id}, answered by ${model} in a process of its own`);
    return String(submitted.task_id);
  }
  // Enough passes to take some seconds, so that the kill comes in the middle.
  const payload = { model: 'neural', dataset: 'iris', epochs: 10_000, batch_size: 2, hidden: 48, learning_rate: 0.001 };
  const submitted = await server.call('submit_job', { type: 'ml_experiment', payload });
  stage.report.background.kind = 'ml_experiment';
  note(stage, 'submit_job', `${submitted.job_id}, a neural network trained on real data in a process of its own`);
  return String(submitted.job_id);
}

async function untilItRuns(server: Server, jobId: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const { tasks } = await server.call('wait_for_tasks', { task_ids: [jobId], timeout_seconds: 0 });
    const [job] = tasks as { status: string; progress?: number }[];
    if (job?.status !== 'pending' && (job?.progress ?? 0) > 0) return;
    await sleep(50);
  }
}

async function readBackgroundResult(
  server: Server,
  stage: Stage,
  jobId: string,
  model: string | undefined,
): Promise<void> {
  const { background } = stage.report;
  let waited: Reply;
  do waited = await server.call('wait_for_tasks', { task_ids: [jobId], timeout_seconds: 50 });
  while (waited.done !== true);
  const [job] = waited.tasks as { status: string; error?: { message: string } }[];
  background.id = jobId;
  background.status = job?.status ?? '';
  background.outcome = job?.error?.message ?? (await outcomeOf(server, jobId, model));
  note(stage, 'get_task_result', `${background.status}: ${background.outcome}`);
}

async function outcomeOf(server: Server, jobId: string, model: string | undefined): Promise<string> {
  const result = await server.call('get_task_result', { task_id: jobId });
  if (model) return `"${String(result.result).slice(0, 120)}..."`;
  const { test } = result.data as { test: { accuracy: number } };
  return `${Math.round(test.accuracy * 30)} of 30 flowers that it had not seen named right`;
}

async function workTheRest(server: Server, stage: Stage, held: Reply): Promise<void> {
  const { background } = stage.report;
  await complete(server, stage, held, background.outcome);
  for (;;) {
    const task = await server.call('claim_next_task');
    if (task.id === undefined) return;
    note(stage, 'claim_next_task', `task ${task.id} "${task.title}"`);
    await complete(server, stage, task, 'done');
  }
}

function note({ say, report }: Stage, tool: string, did: string): void {
  report.steps.push({ tool, did });
  say(`${String(report.steps.length).padStart(2)} ${tool.padEnd(22)} ${did}`);
}

type Reply = Record<string, unknown>;

export interface Server {
  pid: number;
  call(tool: string, args?: JsonObject): Promise<Reply>;
  close(): Promise<void>;
}

/** Both servers of the demo serve one conversation, as when a client is restarted and resumes. */
const conversation = 'demo';

export async function startServer({ home }: Pick<Stage, 'home'>): Promise<Server> {
  const [{ Client }, { StdioClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/client/stdio.js'),
  ]);
  const { AGENT_RUNTIME_DB_PATH, AGENT_RUNTIME_CONFIG, AGENT_RUNTIME_DATA_DIR, ...keys } = runnerEnvironment(
    readConfig(),
  );
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fileURLToPath(new URL('./main.js', import.meta.url))],
    env: { ...keys, HOME: home, CLAUDE_CODE_SESSION_ID: conversation, AGENT_RUNTIME_LOG_LEVEL: 'error' },
    stderr: 'inherit',
  });
  const client: Client = new Client({ name: 'agent-runtime-demo', version: '1' });
  await client.connect(transport);
  return {
    pid: transport.pid ?? 0,
    async call(tool, args = {}) {
      const reply = await client.callTool({ name: tool, arguments: args });
      const [content] = reply.content as { text: string }[];
      if (reply.isError) throw new Error(`${tool} failed: ${content?.text}`);
      return reply.structuredContent as Reply;
    },
    close: () => client.close(),
  };
}
