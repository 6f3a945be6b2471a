import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.js';
import type { CommandContext } from '../define-command.js';
import { type DemoServer, type Reply, startServer, usableModel, whyModelIsSilent } from './demo-server.js';

/** What the demo prints with --json. */
interface DemoReport {
  home: string;
  database: string;
  planner: string;
  /** Why the configured model was not used, if it was not. */
  model_failure?: string;
  steps: { tool: string; did: string }[];
  background: { id: string; kind: string; survived_kill_of_pid: number; status: string; outcome: string };
  goal: { status: string; completed: number; total: number };
}

/** Runs the demo of a goal, or of a relay. */
export async function runDemo({ relay }: { relay: boolean }, context: CommandContext): Promise<void> {
  if (!relay) return runGoalDemo(context);
  const { runRelayDemo } = await import('./relay-demo.js');
  return runRelayDemo(context);
}

/**
 * Shows the main use with real processes: a server is started as a client starts it, a goal is broken down, tasks are
 * done, the server is killed with SIGKILL while a background task runs, and the next server finds everything again. All
 * of it is in a temporary home, which stays so that it can be inspected.
 */
async function runGoalDemo({ flags, output }: CommandContext): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-demo-'));
  const report: DemoReport = {
    home,
    database: join(home, '.claude', 'agent_runtime.db'),
    planner: '',
    steps: [],
    background: { id: '', kind: '', survived_kill_of_pid: 0, status: '', outcome: '' },
    goal: { status: '', completed: 0, total: 0 },
  };
  const stage: Stage = { home, report, say: (text) => (flags.isJson ? undefined : output.print(text)), servers: [] };
  try {
    await play(stage);
  } catch (error) {
    await cancelBackgroundWork(stage);
    throw error;
  } finally {
    for (const server of stage.servers) await server.close();
  }
  if (flags.isJson) output.printJson(report);
}

interface Stage {
  home: string;
  say(text: string): void;
  report: DemoReport;
  /** Those that were started, oldest first. */
  servers: DemoServer[];
}

async function startNext(stage: Stage): Promise<DemoServer> {
  const server = await startServer(stage.home);
  stage.servers.push(server);
  return server;
}

/** Nothing of a demo that failed goes on in the background. */
async function cancelBackgroundWork({ servers, report }: Stage): Promise<void> {
  const server = servers.at(-1);
  if (!server || report.background.id === '') return;
  // The demo's own error is the one to show: the server may be what failed.
  await server.call('cancel_task', { task_id: report.background.id }).catch(() => {});
}

async function play(stage: Stage): Promise<void> {
  const { say, report, home } = stage;
  say(`A server is started the way an MCP client starts it, in the empty home ${home}\n`);
  const first = await startNext(stage);
  const found = await chooseModel(first, stage);
  const { goal, model } = await planGoal(first, stage, found);
  await workOneTask(first, stage);
  const held = await first.call('claim_next_task');
  note(
    stage,
    'claim_next_task',
    `task ${held.id} "${held.title}" is claimed next, and its worker is about to be killed`,
  );

  const jobId = await startBackgroundWork(first, stage, model);
  report.background.id = jobId;
  await untilItRuns(first, jobId);
  process.kill(first.pid, 'SIGKILL');
  report.background.survived_kill_of_pid = first.pid;
  say(`\n   kill -9 ${first.pid}: the server is dead, the background process is not\n`);

  const second = await startNext(stage);
  const resumed = await second.call('runtime_status');
  note(stage, 'runtime_status', `the same conversation, resumed: ${String(resumed.next)}`);
  await readBackgroundResult(second, stage, jobId, model);
  await workTheRest(second, stage, held);

  const ended = await second.call('get_goal', { goal_id: goal });
  const progress = ended.progress as { completed: number; total: number };
  report.goal = { status: String(ended.status), completed: progress.completed, total: progress.total };
  note(stage, 'get_goal', `goal ${goal} is ${ended.status}: ${progress.completed} of ${progress.total} tasks done`);
  say(`\nAll of it is stored in ${report.database}`);
  say(`Look around:  HOME=${home} agent-runtime tool list_tasks`);
  say(`Clean up:     rm -r ${home}`);
}

const withoutModel = 'this client makes the plan, and the background work is a training job';

/** The model of the demo: the configured one, if it answers. */
async function chooseModel(server: DemoServer, { say, report }: Stage): Promise<string | undefined> {
  const model = usableModel(await server.call('runtime_status'));
  if (model === undefined) {
    say(`   no model found: ${withoutModel}`);
    return undefined;
  }
  const reason = await whyModelIsSilent(server, model);
  if (reason === undefined) {
    say(`   model found: ${model}`);
    return model;
  }
  report.model_failure = reason;
  say(`   the model ${model} does not answer, so ${withoutModel}\n   ${reason}`);
  return undefined;
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

/** Plans with the model if there is one, and without it when its plan does not come. */
async function planGoal(
  server: DemoServer,
  stage: Stage,
  model: string | undefined,
): Promise<{ goal: number; model: string | undefined }> {
  const created = await server.call('create_goal', {
    name: 'A field guide to irises',
    description: 'A short guide that tells three species of iris apart by the lengths of their petals and sepals.',
  });
  note(stage, 'create_goal', `goal ${created.id} "${created.name}"`);
  const goal = created.id as number;
  const byModel = model === undefined ? undefined : await planOfModel(server, stage, goal);
  const plan =
    byModel ?? (await server.call('decompose_goal', { goal_id: goal, tasks: ownPlan, strategy: 'hierarchical' }));
  const planner = byModel ? model : undefined;
  stage.report.planner = String(plan.planner);
  note(stage, 'decompose_goal', `${plan.count} tasks with dependencies, planned by ${planner ?? 'this client itself'}`);
  return { goal, model: planner };
}

async function planOfModel(server: DemoServer, stage: Stage, goal: number): Promise<Reply | undefined> {
  let reason = 'its plan takes too long';
  try {
    const plan = await server.call('decompose_goal', { goal_id: goal, strategy: 'hierarchical', max_tasks: 5 });
    if (plan.status !== 'running') return plan;
    await server.call('cancel_task', { task_id: String(plan.task_id) });
  } catch (error) {
    reason = messageOf(error);
  }
  stage.report.model_failure = reason;
  stage.say(`   the model gives no plan, so ${withoutModel}\n   ${reason}`);
  return undefined;
}

async function workOneTask(server: DemoServer, stage: Stage): Promise<void> {
  const task = await server.call('claim_next_task');
  note(stage, 'claim_next_task', `task ${task.id} "${task.title}", claim_token ${task.claim_token}`);
  await complete(server, stage, task, 'Fisher, 1936: 50 flowers each of three species.');
}

async function complete(server: DemoServer, stage: Stage, task: Reply, result: string): Promise<void> {
  const { id, claim_token } = task as { id: number; claim_token: number };
  await server.call('update_task_status', { task_id: id, status: 'completed', result, claim_token });
  note(stage, 'update_task_status', `task ${id} completed; the tasks that waited for it are ready now`);
}

async function startBackgroundWork(server: DemoServer, stage: Stage, model: string | undefined): Promise<string> {
  if (model) {
    const task_description =
      'In about 300 words: how does one tell Iris setosa, versicolor and virginica apart by their petals?';
    const submitted = await server.call('submit_background_task', { task_description, timeout_seconds: 120 });
    stage.report.background.kind = model;
    note(stage, 'submit_background_task', `${submitted.task_id}, answered by ${model} in a process of its own`);
    return String(submitted.task_id);
  }
  // Enough epochs to take some seconds, so that the kill comes in the middle.
  const payload = { model: 'neural', dataset: 'iris', epochs: 10_000, batch_size: 2, hidden: 48, learning_rate: 0.001 };
  const submitted = await server.call('submit_job', { type: 'ml_experiment', payload });
  stage.report.background.kind = 'ml_experiment';
  note(stage, 'submit_job', `${submitted.job_id}, a neural network trained on real data in a process of its own`);
  return String(submitted.job_id);
}

async function untilItRuns(server: DemoServer, jobId: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const { tasks } = await server.call('wait_for_tasks', { task_ids: [jobId], timeout_seconds: 0 });
    const [job] = tasks as { status: string; progress?: number }[];
    if (job?.status !== 'pending' && (job?.progress ?? 0) > 0) return;
    await sleep(50);
  }
}

async function readBackgroundResult(
  server: DemoServer,
  stage: Stage,
  jobId: string,
  model: string | undefined,
): Promise<void> {
  const { background } = stage.report;
  let waited: Reply;
  do waited = await server.call('wait_for_tasks', { task_ids: [jobId], timeout_seconds: 50 });
  while (waited.done !== true);
  const [job] = waited.tasks as { status: string; error?: { message: string } }[];
  background.status = job?.status ?? '';
  background.outcome = job?.error?.message ?? (await outcomeOf(server, jobId, model));
  note(stage, model ? 'get_task_result' : 'get_job_status', `${background.status}: ${background.outcome}`);
}

async function outcomeOf(server: DemoServer, jobId: string, model: string | undefined): Promise<string> {
  if (model) {
    const { result } = await server.call('get_task_result', { task_id: jobId });
    return `"${String(result).slice(0, 120)}..."`;
  }
  const { result } = await server.call('get_job_status', { job_id: jobId, fields: ['test.accuracy'] });
  const { 'test.accuracy': accuracy } = result as { 'test.accuracy': number };
  return `${Math.round(accuracy * 30)} of 30 flowers that it had not seen named right`;
}

async function workTheRest(server: DemoServer, stage: Stage, held: Reply): Promise<void> {
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
