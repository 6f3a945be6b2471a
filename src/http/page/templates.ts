import { z } from 'zod';
import type { TemplateTask } from '../../core/tasks/templates.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { iso } from '../../tools/call/fields.js';
import type { Json } from './values.js';

const name = z.string().min(1).max(200).describe('The name of the template.');

/** `templates`: all of them, each with its tasks as save_task_template takes them. */
const templateList = z.strictObject({
  templates: z.array(
    z.strictObject({
      name: z.string(),
      description: z.string(),
      parameters: z.array(z.string()),
      updated_at: z.string(),
      tasks: z.array(z.record(z.string(), z.custom<Json>())),
    }),
  ),
});

export type TemplateList = z.infer<typeof templateList>;

const mostTemplates = 500;

function showTask({ maxAttempts, onDependencyFailure, expectedOutput, ...task }: TemplateTask): Record<string, Json> {
  const { key, title, description, priority, dependencies, metadata, acceptance } = task;
  const given: Record<string, unknown> = {
    key,
    title,
    description,
    priority,
    dependencies,
    metadata,
    // What the tools of the task coordinator call so is kept where people look for it.
    acceptance: acceptance ?? expectedOutput,
    max_attempts: maxAttempts,
    on_dependency_failure: onDependencyFailure,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<string, Json>;
}

/** What people see and change of task templates. */
export const templateCalls = [
  defineTool({
    name: 'templates',
    title: 'Task templates',
    effect: 'read',
    description: 'The task templates with their tasks in full.',
    input: z.strictObject({}),
    output: templateList,
    handler: async (_, { runtime }) => ({
      templates: (await runtime.tasks.listTemplates({ limit: mostTemplates })).map((template) => ({
        name: template.name,
        description: template.description,
        parameters: template.parameters,
        updated_at: iso(template.updatedAt),
        tasks: template.tasks.map(showTask),
      })),
    }),
  }),

  defineTool({
    name: 'delete_template',
    title: 'Delete a task template',
    effect: 'destroy',
    description: 'Deletes a task template; tasks that were made from it stay.',
    input: z.strictObject({ name }),
    output: z.strictObject({ name: z.string() }),
    handler: async (input, { runtime, actor }) => {
      await runtime.tasks.deleteTemplate(input.name, actor);
      return input;
    },
  }),
];
