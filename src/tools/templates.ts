import { z } from 'zod';
import { cut } from '../base/text.js';
import type { TaskTemplate } from '../core/tasks/templates.js';
import { defineTool } from './call/define-tool.js';
import { iso, limit } from './call/fields.js';
import { rowsFor, toPage } from './call/page.js';
import { newTask, toNewTask } from './shapes/new-task.js';

const name = z.string().trim().min(1).max(200).describe('The name of the template.');

const templateOutput = z.object({
  name: z.string(),
  description: z.string(),
  parameters: z.array(z.string()),
  tasks: z.array(z.string()).describe('Their titles.'),
  updated_at: z.string(),
});

function showTemplate(template: TaskTemplate): z.input<typeof templateOutput> {
  return {
    name: template.name,
    description: cut(template.description, 200),
    parameters: template.parameters,
    tasks: template.tasks.slice(0, 20).map((task) => cut(task.title, 80)),
    updated_at: iso(template.updatedAt),
  };
}

/** Tasks that are made again and again. */
export const templateTools = [
  defineTool({
    name: 'save_task_template',
    title: 'Save a task template',
    effect: 'write',
    isIdempotent: true,
    description:
      'Stores tasks to be made again and again, such as the steps of a release, under a name. Titles, keys, descriptions, ' +
      'acceptance and dependencies may hold {{parameter}}s, filled in at each use. An earlier one of that name is replaced. ' +
      'Next: create_tasks with template and parameters.',
    input: z.strictObject({
      name,
      description: z.string().max(2_000).optional().describe('When to use it.'),
      tasks: z
        .array(newTask.omit({ goal_id: true, deadline: true, not_before: true }))
        .min(1)
        .max(200)
        .describe('Each as for create_task; they may depend on each other by key.'),
    }),
    output: templateOutput,
    handler: async ({ description = '', tasks, ...input }, { runtime, actor }) =>
      showTemplate(await runtime.tasks.saveTemplate({ ...input, description, tasks: tasks.map(toNewTask) }, actor)),
  }),

  defineTool({
    name: 'list_task_templates',
    title: 'List task templates',
    effect: 'read',
    description: 'Stored task templates by name, with the parameters they take. Next: create_tasks with one of them.',
    input: z.strictObject({
      limit: limit(20),
      cursor: z.string().max(200).optional().describe('next_cursor of the page before.'),
    }),
    output: z.object({ templates: z.array(templateOutput), count: z.int(), next_cursor: z.string().optional() }),
    handler: async (input, { runtime }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const templates = await runtime.tasks.listTemplates({ limit: rowsFor(wishes), afterName: input.cursor });
      const { items, ...rest } = toPage(templates, wishes, showTemplate, (template) => template.name);
      return { templates: items, count: items.length, ...rest };
    },
  }),
];
