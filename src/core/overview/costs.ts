import type { EpochMs } from '../../base/clock.js';
import { type Cost, noCost } from '../../base/money.js';
import type { Sql } from '../../store/sql.js';

/** What the jobs of a model or a goal have cost. */
export interface CostGroup extends Cost {
  jobs: number;
}

/** What the jobs that ended in a window have cost, by when, by model and by goal. */
export interface Costs {
  /** In equal intervals. */
  intervals: Cost[];
  /** The most expensive first; '' where a job names no model. */
  models: (CostGroup & { model: string })[];
  /** `goalId` is null for jobs of no goal. */
  goals: (CostGroup & { goalId: number | null; name: string })[];
}

interface Window {
  from: EpochMs;
  to: EpochMs;
  /** Of intervals. */
  count: number;
}

const mostGroups = 20;

/** Sums up the jobs that ended in the window and called a model. What a job cost counts when it ends. */
export async function readCosts(sql: Sql, { from, to, count }: Window): Promise<Costs> {
  const rows = await sql.all<Cost & { place: number }>(byInterval, from, (to - from) / count, from, to);
  const intervals = Array.from({ length: count }, () => ({ ...noCost }));
  for (const { place, micros, unpriced } of rows) {
    // A moment at the end of the window is in its last interval.
    const interval = intervals[Math.min(Number(place), count - 1)];
    if (!interval) continue;
    interval.micros += micros;
    interval.unpriced += unpriced;
  }
  return {
    intervals,
    models: await sql.all<Costs['models'][number]>(byModel, from, to, mostGroups),
    goals: await sql.all<Costs['goals'][number]>(byGoal, from, to, mostGroups),
  };
}

const sums = 'cast(sum(cost_micros) as bigint) as micros, cast(sum(unpriced_calls) as bigint) as unpriced';
const ofWindow = 'completed_at >= ? and completed_at <= ? and cost_micros + unpriced_calls > 0';

const byInterval = `select place, ${sums} from (
    select floor((completed_at - ?) / cast(? as double precision)) as place, cost_micros, unpriced_calls
    from jobs where ${ofWindow}
  ) as placed group by place`;

const byModel = `select model, count(*) as jobs, ${sums} from (
    select coalesce(model, requested_model, '') as model, cost_micros, unpriced_calls from jobs where ${ofWindow}
  ) as named group by model order by sum(cost_micros) desc, model limit ?`;

/** The goal of a job, or of the task that it works on. */
const byGoal = `select spent.goal_id as "goalId", coalesce(max(g.name), '') as name, count(*) as jobs, ${sums} from (
    select coalesce(j.goal_id, t.goal_id) as goal_id, j.cost_micros, j.unpriced_calls
    from jobs j left join tasks t on t.id = j.task_id
    where j.completed_at >= ? and j.completed_at <= ? and j.cost_micros + j.unpriced_calls > 0
  ) as spent left join goals g on g.id = spent.goal_id
  group by spent.goal_id order by sum(cost_micros) desc, spent.goal_id limit ?`;
