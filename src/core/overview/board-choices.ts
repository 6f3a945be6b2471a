import type { Sql } from '../../store/sql.js';

/** The values that a board can be filtered by: the newest goals, the projects and the workers. */
export interface BoardChoices {
  goals: { id: number; name: string; status: string }[];
  projects: string[];
  workers: string[];
}

const most = 200;

/** Each list is cut to a length that a person can read. */
export async function readBoardChoices(sql: Sql): Promise<BoardChoices> {
  // Skips from one project to the next along the index, as there may be a million tasks of a few projects.
  const projects = await sql.all<{ project: string }>(
    `with recursive known (project, place) as (
       select min(project), 1 from tasks
       union all
       select (select min(project) from tasks where project > known.project), place + 1 from known
       where known.project is not null and place <= ?)
     select project from known where project <> ''`,
    most,
  );
  const workers = await sql.all<{ worker: string }>(
    `select distinct coalesce(worker_id, claimed_by) as worker from tasks where status = 'in_progress'
     union select worker_id from worker_slots order by worker limit ?`,
    most,
  );
  return {
    goals: await sql.all(
      `select id, substr(name, 1, 120) as name, status from goals order by status = 'active' desc, id desc limit ?`,
      most,
    ),
    projects: projects.map((row) => row.project),
    workers: workers.map((row) => row.worker),
  };
}
