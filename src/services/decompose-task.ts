import { messageOf } from '../base/errors.js';
import type { Goals } from '../core/goals/goals.js';
import type { PlannedTask } from '../core/goals/plan.js';
import { parsePlan, planPrompt } from '../core/goals/plan-request.js';
import type { TaskReference } from '../core/tasks/task.js';
import type { TaskDetail, Tasks } from '../core/tasks/tasks.js';
import { type ModelPlanNeeds, type ModelPlanRequest, planByModel } from './plan-by-model.js';

export interface DecomposeTaskRequest extends ModelPlanRequest {
  task_id: TaskReference;
  tasks?: PlannedTask[] | undefined;
  claim_token?: number | undefined;
}

export interface DecomposeTaskNeeds extends ModelPlanNeeds {
  runtime: ModelPlanNeeds['runtime'] & { goals: Pick<Goals, 'decomposeTask'>; tasks: Pick<Tasks, 'get'> };
  sample: ((prompt: string) => Promise<string>) | undefined;
}

export interface DecomposedTask {
  task_id: number;
  subtasks?: number[];
  count?: number;
  /** The plan is still being made by this job. */
  status?: 'running';
  job_id?: string;
  request?: string;
  note?: string;
}

/**
 * Breaks a task into parts: by the caller's plan, else by one of the client's own model, else by one of a configured
 * model; without these it resolves to a request to the caller. Throws as `decomposeTask` of the board and `planByModel`.
 */
export async function decomposeTask(request: DecomposeTaskRequest, needs: DecomposeTaskNeeds): Promise<DecomposedTask> {
  const task = await needs.runtime.tasks.get(request.task_id, needs.actor);
  if (request.tasks) return store(request, request.tasks, needs);
  const prompt = promptFor(task, request);
  let note: string | undefined;
  if (needs.sample && request.model === undefined) {
    try {
      return await store(request, parsePlan(await needs.sample(prompt), request.max_tasks), needs);
    } catch (error) {
      note = `The client's model did not give a plan: ${messageOf(error)}`;
    }
  }
  const noted = note === undefined ? {} : { note };
  if (request.model !== undefined || needs.runtime.models.defaultModel() !== undefined) {
    return { ...(await planTaskByModel(task, request, needs)), ...noted };
  }
  const asked = `${prompt}

Instead of answering, call decompose_task again with task_id ${task.id}, strategy "${request.strategy}" and that array as tasks.`;
  return { task_id: task.id, request: asked, ...noted };
}

async function planTaskByModel(
  task: TaskDetail,
  request: DecomposeTaskRequest,
  needs: DecomposeTaskNeeds,
): Promise<DecomposedTask> {
  const { id, goalId } = task;
  const subject = { kind: 'task' as const, id, goalId, ...subjectOf(task), claimToken: request.claim_token };
  const plan = await planByModel(subject, request, needs);
  if ('jobId' in plan) return { task_id: id, status: 'running', job_id: plan.jobId };
  const { tasks_created: subtasks } = plan.result as { tasks_created: number[] };
  return { task_id: id, subtasks, count: subtasks.length };
}

async function store(
  { task_id: task, strategy, claim_token: claimToken }: DecomposeTaskRequest,
  tasks: PlannedTask[],
  { runtime, actor }: DecomposeTaskNeeds,
): Promise<DecomposedTask> {
  const parts = await runtime.goals.decomposeTask({ task, strategy, tasks, claimToken }, actor);
  const ids = parts.map(({ id }) => id);
  return { task_id: parts[0]?.parentId ?? 0, subtasks: ids, count: ids.length };
}

const promptFor = (task: TaskDetail, { strategy, max_tasks }: DecomposeTaskRequest): string =>
  planPrompt({ goal: subjectOf(task), strategy, maxTasks: max_tasks });

function subjectOf({ title, description, acceptance }: TaskDetail): { name: string; description: string } {
  const done = acceptance === null ? '' : `\n\nIt is done when:\n${acceptance}`;
  return { name: title, description: `${description}${done}` };
}
