import type { Fragment } from '../../store/where.js';

/** SQL: an event is about a goal, one of its tasks or one of its jobs. */
export function ofGoal(goalId: number): Fragment {
  return {
    text: `((subject = 'goal' and subject_id = ?)
      or (subject = 'task' and subject_id in (select cast(t.id as text) from tasks t where t.goal_id = ?))
      or (subject = 'job' and subject_id in (select j.id from jobs j where j.goal_id = ?
        or j.task_id in (select t.id from tasks t where t.goal_id = ?))))`,
    values: [String(goalId), goalId, goalId, goalId],
  };
}
