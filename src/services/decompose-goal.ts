import type { Clock } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Json } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import type { Goals } from '../core/goals/goals.js';
import { applyPlan, type PlannedTask, planEdges, type Strategy, templatePlan } from '../core/goals/plan.js';
import { parsePlan, planPrompt } from '../core/goals/plan-request.js';
import type { Goal } from '../core/tasks/goal.js';
import type { Models } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import type { Database } from '../store/sql.js';
import { planByModel } from './plan-by-model.js';

/** Who makes the plan. */
export const planners = ['auto', 'caller', 'sampling', 'model', 'template'] as const;
export type Planner = (typeof planners)[number];

export interface DecomposeRequest {
  goal_id: number;
  strategy: Strategy;
  tasks?: PlannedTask[] | undefined;
  planner: Planner;
  model?: string | undefined;
  max_tasks: number;
}

export interface DecomposeNeeds {
  runtime: {
    db: Database;
    clock: Clock;
    goals: Goals;
    models: Models;
    jobs: Pick<Jobs, 'get' | 'list' | 'submit'>;
  };
  actor: Actor;
  signal: AbortSignal;
  progress(message: string): void;
  sample: ((prompt: string) => Promise<string>) | undefined;
}

interface Created {
  tasks_created: number[];
  count: number;
  /** Which of them wait for which, by id. */
  dependencies?: Record<number, number[]> | undefined;
}

export interface Decomposed extends Partial<Created> {
  goal_id: number;
  strategy: Strategy;
  planner: Planner;
  status?: string;
  task_id?: string;
  request?: string;
  note?: string;
}

/**
 * Plans a goal with the planner that is asked for, or with the best there is, and stores the tasks. It never falls back
 * to a template, which would look like a plan without knowing the goal. Throws `not_found`, `conflict` for a cancelled
 * goal, `not_configured` without the planner asked for, and `unavailable` when the model made no plan.
 */
export async function decomposeGoal(request: DecomposeRequest, needs: DecomposeNeeds): Promise<Decomposed> {
  const goal = await needs.runtime.goals.get(request.goal_id);
  if (goal.status === 'cancelled') {
    throw new RuntimeError(
      'conflict',
      `Goal ${goal.id} "${goal.name}" is cancelled.`,
      'Set it to active with update_goal first.',
    );
  }
  if (request.tasks) return store(request, 'caller', request.tasks, needs);
  switch (request.planner) {
    case 'template':
      return store(request, 'template', templatePlan(request.strategy, goal), needs);
    case 'caller':
      return askCaller(request, goal);
    case 'sampling':
      return store(request, 'sampling', await planBySampling(request, goal, needs), needs);
    case 'model':
      return planGoalByModel(request, goal, needs);
    case 'auto':
      return planByBest(request, goal, needs);
  }
}

async function planByBest(request: DecomposeRequest, goal: Goal, needs: DecomposeNeeds): Promise<Decomposed> {
  let note: string | undefined;
  if (needs.sample && request.model === undefined) {
    try {
      return await store(request, 'sampling', await planBySampling(request, goal, needs), needs);
    } catch (error) {
      note = `The client's model did not give a plan: ${messageOf(error)}`;
    }
  }
  const hasModel = request.model !== undefined || needs.runtime.models.defaultModel() !== undefined;
  const decomposed = hasModel ? await planGoalByModel(request, goal, needs) : askCaller(request, goal);
  return note === undefined ? decomposed : { ...decomposed, note };
}

async function store(
  request: DecomposeRequest,
  planner: Planner,
  tasks: PlannedTask[],
  needs: DecomposeNeeds,
): Promise<Decomposed> {
  const { db, clock } = needs.runtime;
  const plan = { goalId: request.goal_id, strategy: request.strategy, tasks };
  const rows = await db.transaction((sql) => applyPlan(sql, plan, { at: clock.now(), actor: needs.actor }));
  const ids = rows.map((row) => row.id);
  const created = { tasks_created: ids, count: ids.length, dependencies: planEdges(plan, rows) };
  return { goal_id: request.goal_id, strategy: request.strategy, planner, ...created };
}

function askCaller(request: DecomposeRequest, goal: Goal): Decomposed {
  const prompt = planPrompt({ goal, strategy: request.strategy, maxTasks: request.max_tasks });
  const instructions = `${prompt}

Instead of answering, call decompose_goal again with goal_id ${goal.id}, strategy "${request.strategy}" and that array as tasks.`;
  return { goal_id: goal.id, strategy: request.strategy, planner: 'caller', request: instructions };
}

/** Asks the client's own model. A second try includes what was wrong with the first plan. */
async function planBySampling(
  request: DecomposeRequest,
  goal: Goal,
  { sample }: DecomposeNeeds,
): Promise<PlannedTask[]> {
  if (!sample) {
    throw new RuntimeError(
      'not_configured',
      'This client does not lend its model to servers.',
      'Pass your own plan as tasks, or use another planner.',
    );
  }
  const prompt = planPrompt({ goal, strategy: request.strategy, maxTasks: request.max_tasks });
  try {
    return parsePlan(await sample(prompt), request.max_tasks);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== 'invalid') throw error;
    return parsePlan(
      await sample(`${prompt}\n\nYour last answer could not be used. ${error.message}`),
      request.max_tasks,
    );
  }
}

async function planGoalByModel(request: DecomposeRequest, goal: Goal, needs: DecomposeNeeds): Promise<Decomposed> {
  const { id, name, description } = goal;
  const plan = await planByModel({ kind: 'goal', id, name, description, goalId: id }, request, needs);
  const base = { goal_id: id, strategy: request.strategy, planner: 'model' as const };
  if ('jobId' in plan) return { ...base, status: 'running', task_id: plan.jobId };
  return { ...base, ...tasksOf(plan.result) };
}

function tasksOf(result: Json): Created {
  const { tasks_created, count, dependencies } = result as unknown as Created;
  return { tasks_created, count, dependencies };
}
