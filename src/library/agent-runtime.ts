import type { Json } from '../base/json.js';
import type {
  ClaimedTask,
  ClaimOptions,
  Goal,
  GoalEdit,
  GoalFilter,
  NewGoal,
  NewTask,
  Plan,
  Task,
  TaskFilter,
  TaskReference,
  TaskState,
  TaskUpdate,
  UpdatedTask,
} from './board.js';
import type { AgentList, Job, JobFilter, JobState, JobSubmission, JobSummary, JobWait, SubmittedJob } from './jobs.js';

/**
 * The runtime inside a program of yours: the same goals, tasks and jobs that every session on this machine shares. Its
 * methods are the tools of the same name, with the same fields and rules; what they refuse they throw as a
 * `RuntimeError`, whose `code` is `invalid`, `not_found`, `conflict`, `stale_claim` and so on.
 */
export interface AgentRuntime {
  /** Stores a job and starts a process for it, which goes on when this program ends. */
  submitJob(job: JobSubmission): Promise<SubmittedJob>;
  getJobStatus(jobId: string): Promise<Job>;
  /** Follows a job to its end. With a signal, waiting ends when that aborts, and throws its reason; the job goes on. */
  waitForJob(jobId: string, options?: { signal?: AbortSignal }): JobWait;
  /** A job that waits never starts; one that runs is stopped with every process it started. `conflict` if it has ended. */
  cancelJob(jobId: string): Promise<{ job_id: string; status: JobState; cancelled: boolean }>;
  /** Runs a failed or cancelled job again, with fresh tries. */
  retryJob(jobId: string): Promise<Job>;
  listJobs(filter?: JobFilter): Promise<JobSummary[]>;
  /** The types of job there are, and the modules that could not be used. */
  listAgents(): Promise<AgentList>;

  createGoal(goal: NewGoal): Promise<Goal>;
  getGoal(goalId: number): Promise<Goal>;
  listGoals(filter?: GoalFilter): Promise<Goal[]>;
  updateGoal(goalId: number, edit: GoalEdit): Promise<Goal>;
  /** Stores a plan as the tasks of a goal, all or none; resolves to their ids, in the plan's order. */
  decomposeGoal(goalId: number, plan: Plan): Promise<number[]>;

  createTask(task: NewTask): Promise<Task>;
  /** All or none; they may depend on each other by key. Resolves to their ids, in the order given. */
  createTasks(tasks: NewTask[]): Promise<number[]>;
  getTask(task: TaskReference): Promise<Task>;
  listTasks(filter?: TaskFilter): Promise<Task[]>;
  /** Claims the next ready task, so that no one else gets it; undefined when none is ready. */
  claimNextTask(options?: ClaimOptions): Promise<ClaimedTask | undefined>;
  updateTaskStatus(task: TaskReference, status: TaskState, update?: TaskUpdate): Promise<UpdatedTask>;

  /** Calls any other tool by its name, with its own fields. */
  callTool(name: string, input?: { [field: string]: Json }): Promise<unknown>;

  /** Ends this program's session: its slots are free at once, its claims lapse; background work goes on. */
  close(): void;
}

export interface OpenOptions {
  /** The database file; AGENT_RUNTIME_DB_PATH or `~/.claude/agent_runtime.db` unless given. */
  dbPath?: string;
  /** Where artifacts, logs and data sets are; AGENT_RUNTIME_DATA_DIR or `~/.claude/agent_runtime` unless given. */
  dataDir?: string;
  /** The config file; AGENT_RUNTIME_CONFIG or `~/.claude/agent_runtime.json` unless given. */
  config?: string;
  /**
   * Modules with agents of your own, beside those of the config file: paths, or URLs such as
   * `new URL('./my-agent.js', import.meta.url)`. They run in the detached runner, never in this process.
   */
  agents?: readonly (string | URL)[];
  /** The project that goals, tasks and jobs of this program belong to; none unless given. */
  project?: string;
  /** The name of this program where sessions are listed. */
  name?: string;
  /** The level of the log on stderr; `warn` unless given. */
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}
