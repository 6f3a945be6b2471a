import { expect, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import { openStore } from '../open-store.js';

/**
 * The questions that are asked all the time, in the words that the domain asks them in. Each must be read off its
 * index in order: the planner prefers any equality over a partial index without one, and then reads and sorts every
 * pending row.
 */
const readyTask = "status = 'pending' and unfinished_dependencies = 0 and is_held = 0";
const taskLine = 'order by priority desc, is_overdue desc, id limit ?';
const readyJob = "status = 'pending' and unfinished_dependencies = 0 and lane = ? and run_at <= ?";
const jobTypes = "type in ('llm', 'generic') and (requires is null or requires in ('anthropic'))";

const questions: [what: string, text: string, index: string][] = [
  ['the next task', `select id from tasks where ${readyTask} ${taskLine}`, 'tasks_ready'],
  ['the next tasks, whole', `select * from tasks where ${readyTask} ${taskLine}`, 'tasks_ready'],
  [
    'the next task of a goal',
    `select id from tasks where ${readyTask} and goal_id = ? ${taskLine}`,
    'tasks_ready_by_goal',
  ],
  [
    'the next task of a project',
    `select id from tasks where ${readyTask} and project = ? ${taskLine}`,
    'tasks_ready_by_project',
  ],
  ['a task by its key', 'select id, status, project from tasks where key = ?', 'tasks_by_key'],
  ['tasks held until now', 'select 1 from tasks where is_held = 1 and not_before <= ?', 'tasks_held'],
  [
    'tasks newly overdue',
    `select 1 from tasks where deadline_at is not null and deadline_at <= ? and is_overdue = 0
       and status in ('pending', 'in_progress')`,
    'tasks_due',
  ],
  ['who holds a task', "select id from tasks where claimed_by = ? and status = 'in_progress'", 'tasks_claimed'],
  [
    'the next job',
    `select seq from jobs where ${readyJob} and ${jobTypes} order by queue_at, seq limit 1`,
    'jobs_ready',
  ],
  [
    'how many jobs are ready',
    `select count(*) from (select 1 from jobs where ${readyJob} and ${jobTypes} limit 5)`,
    'jobs_ready',
  ],
  ['how many jobs of a type run', "select count(*) from jobs where type = ? and status = 'running'", 'jobs_by_type'],
  [
    'the run of a goal',
    "select * from jobs where goal_id = ? and type = 'run_goal' and status = 'running'",
    'jobs_one_run_of_goal',
  ],
  [
    'the open jobs of a run',
    "select count(*) as count from jobs where parent_id = ? and status in ('pending', 'running')",
    'jobs_by_parent',
  ],
  [
    'what happened to a task',
    'select id from events where subject = ? and subject_id = ? order by id desc limit 5',
    'events_by_subject',
  ],
];

test.each(questions)('%s is read off its index, in order', async (_, text, index) => {
  const db = await openStore({ steps: migrations });
  const places = Array.from(text.matchAll(/\?/g), () => 1);
  const plan = await db.all<{ detail: string }>(`explain query plan ${text}`, ...places);
  const steps = plan.map(({ detail }) => detail);
  expect(steps).toContainEqual(expect.stringMatching(new RegExp(`^SEARCH \\w+ USING (COVERING )?INDEX ${index} \\(`)));
  expect(steps).not.toContainEqual(expect.stringMatching(/USE TEMP B-TREE|^SCAN (tasks|jobs|events)/));
});
