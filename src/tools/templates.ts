import { z } from 'zod';
import { cut } from '../base/text.js';
import type { TaskTemplate } from '../core/tasks/templates.js';
import { defineTool } from './call/define-tool.js';
import { cursor, iso, limit } from './call/fields.js';
import { pagedList, pageOutput } from './call/page.js';
import { newTask, toTaskFields } from './shapes/new-task.js';

const name = z.string().trim().min(1).max(200).describe('The name of the template.');

const templateOutput = z.strictObject({
  name: z.string(),
  description: z.string(),
  parameters: z.array(z.string()),
  /** The titles of its first 20 tasks. */
  tasks: z.array(z.string()),
  updated_at: z.string(),
});

/** A template that was just stored: what its caller could not know. */
const savedOutput = z.strictObject({
  name: z.string(),
  parameters: z.array(z.string()),
  /** How many tasks it has. */
  count: z.int(),
  updated_at: z.string(),
});

function showTemplate(template: TaskTemplate, longestLine: number): z.infer<typeof templateOutput> {
  return {
    name: template.name,
    description: cut(template.description, longestLine === 60 ? 200 : longestLine),
    parameters: template.parameters,
    tasks: template.tasks.slice(0, 20).map((task) => cut(task.title, 80)),
    updated_at: iso(template.updatedAt),
  };
}

/** Templates of tasks that are created again and again. */
export const templateTools = [
  defineTool({
    name: 'save_task_template',
    title: 'Save a task template',
    effect: 'write',
    isIdempotent: true,
    description: 'Stores tasks under a name, for create_tasks with template. Their texts may contain {{parameter}}s.',
    input: z.strictObject({
      name,
      description: z.string().max(2_000).optional().describe('When to use it.'),
      tasks: z
        .array(newTask.omit({ goal_id: true, deadline: true, not_before: true, discovered_from: true }))
        .min(1)
        .max(200)
        .describe('Each as for create_task; they may depend on each other by key.'),
    }),
    output: savedOutput,
    handler: async ({ description = '', tasks, ...input }, { runtime, actor }) => {
      const template = { ...input, description, tasks: tasks.map((task) => toTaskFields(task)) };
      const { name, parameters, updatedAt } = await runtime.tasks.saveTemplate(template, actor);
      return { name, parameters, count: tasks.length, updated_at: iso(updatedAt) };
    },
  }),

  defineTool({
    name: 'list_task_templates',
    title: 'List task templates',
    effect: 'read',
    description: 'Lists task templates with their parameters.',
    input: z.strictObject({ limit: limit(20), cursor }),
    output: pageOutput('templates', templateOutput.partial({ tasks: true, updated_at: true })),
    handler: async (input, { runtime }) =>
      pagedList('templates', input, {
        byDefault: 20,
        read: (limit) => runtime.tasks.listTemplates({ limit, afterName: input.cursor }),
        total: () => runtime.tasks.countTemplates(),
        show: showTemplate,
        placeOf: (template) => template.name,
        spared: ['tasks', 'updated_at'],
      }),
  }),
];
