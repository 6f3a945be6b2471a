import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { inDependencyOrder, type NewTask } from './create-tasks.js';

/** A task of a template. Its texts, its key and its dependencies may contain parameters as `{{name}}`. */
export type TemplateTask = Omit<NewTask, 'goalId' | 'project' | 'deadlineAt' | 'notBefore'>;

export interface NewTemplate {
  name: string;
  description: string;
  tasks: readonly TemplateTask[];
}

/** A set of tasks that is created repeatedly, each time with other values for its parameters. */
export interface TaskTemplate extends NewTemplate {
  /** The names of the parameters, in the order in which they first occur. */
  parameters: string[];
  createdAt: EpochMs;
  updatedAt: EpochMs;
}

/** Stores a template; replaces an earlier one of that name. Throws `invalid`, `conflict`, `dependency_cycle`. */
export async function saveTemplate(sql: Sql, template: NewTemplate, change: Change): Promise<TaskTemplate> {
  const { name, description, tasks } = template;
  if (tasks.length === 0) {
    throw new RuntimeError('invalid', `The template ${name} has no tasks.`, 'Give it at least one.');
  }
  inDependencyOrder(tasks);
  await sql.run(
    `insert into task_templates (name, description, tasks, created_at, updated_at) values (?, ?, ?, ?, ?)
     on conflict (name) do update set description = excluded.description, tasks = excluded.tasks,
       updated_at = excluded.updated_at`,
    name,
    description,
    JSON.stringify(tasks),
    change.at,
    change.at,
  );
  await recordEvent(sql, { ...change, subject: 'runtime', subjectId: `template ${name}`, type: 'template_saved' });
  return findTemplate(sql, name);
}

/** Deletes a template; tasks that were made from it stay. Throws `not_found`. */
export async function deleteTemplate(sql: Sql, name: string, change: Change): Promise<void> {
  await findTemplate(sql, name);
  await sql.run('delete from task_templates where name = ?', name);
  await recordEvent(sql, { ...change, subject: 'runtime', subjectId: `template ${name}`, type: 'template_deleted' });
}

/** Throws `not_found`, with the names of templates that exist. */
export async function findTemplate(sql: Sql, name: string): Promise<TaskTemplate> {
  const row = await sql.get<TemplateRow>('select * from task_templates where name = ?', name);
  if (row) return toTemplate(row);
  const known = await sql.all<{ name: string }>('select name from task_templates order by name limit 10');
  throw new RuntimeError(
    'not_found',
    `No task template is called ${name}.`,
    known.length === 0
      ? 'There is none yet: call save_task_template first.'
      : `There are: ${known.map((template) => template.name).join(', ')}. Call list_task_templates for all.`,
  );
}

/** Templates by name. */
export async function listTemplates(
  sql: Sql,
  page: { limit: number; afterName?: string | undefined },
): Promise<TaskTemplate[]> {
  const rows = await sql.all<TemplateRow>(
    'select * from task_templates where name > ? order by name limit ?',
    page.afterName ?? '',
    page.limit,
  );
  return rows.map(toTemplate);
}

/**
 * The tasks of a template with its parameters filled in, for `createTasks`. Values are inserted literally. Throws
 * `invalid` for parameters without a value and values without a parameter, with their names.
 */
export function instantiate(template: TaskTemplate, values: ReadonlyMap<string, string>): NewTask[] {
  const missing = template.parameters.filter((name) => !values.has(name));
  const unknown = [...values.keys()].filter((name) => !template.parameters.includes(name));
  if (missing.length > 0 || unknown.length > 0) throw wrongParameters(template, missing, unknown);
  const fill = (text: string) => text.replaceAll(placeholder, (_, name: string) => values.get(name.trim()) ?? '');
  const tasks = template.tasks.map((task) => fillTask(task, fill));
  const untitled = tasks.findIndex((task) => task.title.trim() === '');
  if (untitled >= 0) {
    throw new RuntimeError(
      'invalid',
      `With these values task ${untitled + 1} of the template ${template.name} has an empty title.`,
      `Its title is made from ${JSON.stringify(template.tasks[untitled]?.title)}.`,
    );
  }
  return tasks;
}

/** Anything but braces in double braces; blanks around it do not count. */
const placeholder = /\{\{([^{}]*[^{}\s][^{}]*)\}\}/g;

interface TemplateRow {
  name: string;
  description: string;
  tasks: string;
  created_at: EpochMs;
  updated_at: EpochMs;
}

function toTemplate(row: TemplateRow): TaskTemplate {
  const tasks = readJson<TemplateTask[]>(row.tasks);
  return {
    name: row.name,
    description: row.description,
    tasks,
    parameters: parametersOf(tasks),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function parametersOf(tasks: readonly TemplateTask[]): string[] {
  const names = new Set<string>();
  const collect = (text: string) => {
    for (const [, name = ''] of text.matchAll(placeholder)) names.add(name.trim());
    return text;
  };
  for (const task of tasks) fillTask(task, collect);
  return [...names];
}

/** Applies `fill` to every field that may contain parameters. */
function fillTask(task: TemplateTask, fill: (text: string) => string): TemplateTask {
  const optional = (text: string | undefined) => (text === undefined ? undefined : fill(text));
  return {
    ...task,
    title: fill(task.title),
    key: optional(task.key),
    description: optional(task.description),
    acceptance: optional(task.acceptance),
    expectedOutput: optional(task.expectedOutput),
    dependencies: task.dependencies?.map((reference) => (typeof reference === 'string' ? fill(reference) : reference)),
  };
}

function wrongParameters({ name, parameters }: TaskTemplate, missing: string[], unknown: string[]): RuntimeError {
  const complaints = [
    ...missing.map((parameter) => `no value for its parameter ${parameter}`),
    ...unknown.map((parameter) => `a value for ${parameter}, which it does not have`),
  ];
  return new RuntimeError(
    'invalid',
    `The template ${name} was given ${complaints.join(', and ')}.`,
    parameters.length === 0 ? 'It takes no parameters.' : `It takes: ${parameters.join(', ')}.`,
  );
}
