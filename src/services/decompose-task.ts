import { messageOf } from '../base/errors.js';
import type { Actor } from '../core/actor.js';
import type { Goals } from '../core/goals/goals.js';
import type { PlannedTask, Strategy } from '../core/goals/plan.js';
import { parsePlan, planPrompt } from '../core/goals/plan-request.js';
import type { TaskReference } from '../core/tasks/task.js';
import type { TaskDetail, Tasks } from '../core/tasks/tasks.js';

export interface DecomposeTaskRequest {
  task_id: TaskReference;
  strategy: Strategy;
  tasks?: PlannedTask[] | undefined;
  max_tasks: number;
  claim_token?: number | undefined;
}

export interface DecomposeTaskNeeds {
  runtime: { goals: Pick<Goals, 'decomposeTask'>; tasks: Pick<Tasks, 'get'> };
  actor: Actor;
  sample: ((prompt: string) => Promise<string>) | undefined;
}

export interface DecomposedTask {
  task_id: number;
  subtasks?: number[];
  count?: number;
  request?: string;
  note?: string;
}

/**
 * Breaks a task into parts: by the caller's plan, else by one of the client's own model; without either it resolves to a
 * request to the caller. Throws as `decomposeTask` of the board.
 */
export async function decomposeTask(request: DecomposeTaskRequest, needs: DecomposeTaskNeeds): Promise<DecomposedTask> {
  const task = await needs.runtime.tasks.get(request.task_id);
  if (request.tasks) return store(request, request.tasks, needs);
  const prompt = promptFor(task, request);
  let note: string | undefined;
  if (needs.sample) {
    try {
      return await store(request, parsePlan(await needs.sample(prompt), request.max_tasks), needs);
    } catch (error) {
      note = `The client's model did not give a plan: ${messageOf(error)}`;
    }
  }
  const asked = `${prompt}

Instead of answering, call decompose_task again with task_id ${task.id}, strategy "${request.strategy}" and that array as tasks.`;
  return { task_id: task.id, request: asked, ...(note === undefined ? {} : { note }) };
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

function promptFor(
  { title, description, acceptance }: TaskDetail,
  { strategy, max_tasks }: DecomposeTaskRequest,
): string {
  const done = acceptance === null ? '' : `\n\nIt is done when:\n${acceptance}`;
  return planPrompt({ goal: { name: title, description: `${description}${done}` }, strategy, maxTasks: max_tasks });
}
