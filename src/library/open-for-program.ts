import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { fromIdRanges } from '../base/id-ranges.js';
import { readJson, toJsonText } from '../base/json.js';
import { createLog } from '../base/log.js';
import { createRedactor } from '../base/redact.js';
import { version } from '../base/version.js';
import { readConfig } from '../config.js';
import { nameSession, openRuntime, type Runtime, type Session } from '../runtime.js';
import { contextOf, runTool } from '../tools/call/run-tool.js';
import { findTool } from '../tools/index.js';
import { type ShownJob, wholeResultOf } from '../tools/shapes/job.js';
import type { AgentRuntime, OpenOptions } from './agent-runtime.js';
import type { ClaimedTask, Goal, Task, TaskReference, UpdatedTask } from './board.js';
import type { Job } from './jobs.js';
import { waitForJob } from './wait-for-job.js';

/** What `openRuntime` of the library does. */
export async function openForProgram(options: OpenOptions): Promise<AgentRuntime> {
  const config = configFor(options);
  const log = createLog({ level: config.logLevel, redact: createRedactor(config.secrets) });
  const runtime = await openRuntime({ config, log });
  const info = { project: options.project ?? '', clientName: options.name ?? 'library', clientVersion: version };
  const session = nameSession(info);
  try {
    await runtime.maintenance.beginSession(session, info);
  } catch (error) {
    runtime.close();
    throw error;
  }
  return createFacade(runtime, session);
}

function configFor({ dbPath, dataDir, config, agents, logLevel = 'warn' }: OpenOptions): Config {
  return readConfig({ db: dbPath, dataDir, config, logLevel, agents: agents?.map(modulePath) });
}

function modulePath(module: unknown): string {
  if (module instanceof URL) return fileURLToPath(module);
  if (typeof module === 'string') return module.startsWith('file:') ? fileURLToPath(module) : resolve(module);
  throw new RuntimeError(
    'invalid',
    `agents names modules by path, and was given a value of type ${typeof module}.`,
    "Put the agent into a file of its own and give new URL('./my-agent.js', import.meta.url): it runs in another process.",
  );
}

/** Calls a tool; its result is as the method's own type says, which the tests compare. */
type Call = <Result>(tool: string, input?: object) => Promise<Result>;

/** The methods are the tools of the same name: one set of rules, one set of messages. */
function createFacade(runtime: Runtime, session: Session): AgentRuntime {
  let isOpen = true;
  const context = contextOf(runtime, session, { sessionId: session.id });

  async function call<Result>(tool: string, input: object = {}): Promise<Result> {
    if (!isOpen) throw new RuntimeError('unavailable', 'This runtime is closed.', 'Open another with openRuntime.');
    return (await runTool(findTool(tool), asSent(input, tool), context)) as Result;
  }

  return {
    ...jobMethods(call, runtime),
    ...goalMethods(call),
    ...taskMethods(call),
    callTool: (name, input = {}) => call(name, input),
    close() {
      if (!isOpen) return;
      isOpen = false;
      runtime.close();
    },
  };
}

type JobMethod = 'submitJob' | 'getJobStatus' | 'waitForJob' | 'cancelJob' | 'retryJob' | 'listJobs' | 'listAgents';

function jobMethods(call: Call, runtime: Runtime): Pick<AgentRuntime, JobMethod> {
  /** With its whole result: the tool cuts a long one. */
  async function getJobStatus(jobId: string): Promise<Job> {
    const shown = await call<ShownJob>('get_job_status', { job_id: jobId });
    const { left_out: _, ...job } = shown;
    return { ...job, result: await wholeResultOf(shown, runtime.jobs) };
  }
  return {
    submitJob: (job) => call('submit_job', job),
    getJobStatus,
    waitForJob: (jobId, { signal } = {}) => waitForJob(() => getJobStatus(jobId), signal),
    cancelJob: (jobId) => call('cancel_job', { job_id: jobId }),
    async retryJob(jobId) {
      await call('retry_task', { task_id: jobId });
      return getJobStatus(jobId);
    },
    listJobs: (filter = {}) => listAll(call, 'list_jobs', 'jobs', filter),
    listAgents: () => call('list_agents'),
  };
}

type GoalMethod = 'createGoal' | 'getGoal' | 'listGoals' | 'updateGoal' | 'decomposeGoal';

function goalMethods(call: Call): Pick<AgentRuntime, GoalMethod> {
  const getGoal = (goalId: number) => call<Goal>('get_goal', { goal_id: goalId, fields: 'full' });
  return {
    createGoal: async (goal) => getGoal((await call<Goal>('create_goal', goal)).id),
    getGoal,
    listGoals: (filter = {}) => listAll(call, 'list_goals', 'goals', { ...filter, fields: 'full' }),
    async updateGoal(goalId, edit) {
      await call('update_goal', { ...edit, goal_id: goalId });
      return getGoal(goalId);
    },
    async decomposeGoal(goalId, plan) {
      // Without tasks the tool would ask a model for them.
      if (!plan?.tasks)
        throw new RuntimeError('invalid', 'decomposeGoal was given no tasks.', 'Give it a plan with tasks.');
      const { ids } = await call<{ ids: string }>('decompose_goal', { ...plan, goal_id: goalId });
      return fromIdRanges(ids);
    },
  };
}

type TaskMethod = 'createTask' | 'createTasks' | 'getTask' | 'listTasks' | 'claimNextTask' | 'updateTaskStatus';

function taskMethods(call: Call): Pick<AgentRuntime, TaskMethod> {
  const getTask = (task: TaskReference) => call<Task>('get_task', { task_id: task, fields: 'full' });
  return {
    createTask: async (task) => getTask((await call<Task>('create_task', task)).id),
    createTasks: async (tasks) => fromIdRanges((await call<{ ids: string }>('create_tasks', { tasks })).ids),
    getTask,
    listTasks: (filter = {}) => listAll(call, 'list_tasks', 'tasks', { ...filter, fields: 'full' }),
    async claimNextTask(options = {}) {
      const claimed = await call<ClaimedTask | { id?: undefined }>('claim_next_task', options);
      return claimed.id === undefined ? undefined : { ...claimed, ...(await getTask(claimed.id)) };
    },
    async updateTaskStatus(task, status, update = {}) {
      const input = { ...update, task_id: task, status };
      const changed = await call<Pick<UpdatedTask, 'id' | 'claim_token'>>('update_task_status', input);
      return { ...(await getTask(changed.id)), claim_token: changed.claim_token };
    },
  };
}

/** Reads a list page by page, because a page is only as long as a model can take in. */
async function listAll<Item>(
  call: Call,
  tool: string,
  key: string,
  { limit = 100, ...filter }: { limit?: number; fields?: 'full' },
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const input = { ...filter, limit: Math.min(200, limit - items.length), cursor };
    const page = await call<{ next_cursor?: string } & Record<string, unknown>>(tool, input);
    items.push(...(page[key] as Item[]));
    cursor = page.next_cursor;
  } while (cursor !== undefined && items.length < limit);
  return items;
}

/** The input as another process would send it: without what is undefined, and with dates as text. */
function asSent(input: object, name: string): unknown {
  const json = toJsonText(input, name);
  if ('text' in json) return readJson(json.text);
  throw new RuntimeError('invalid', `${json.problem}.`, 'Nothing was done. Give what JSON can hold.');
}
