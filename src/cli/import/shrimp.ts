import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { isDirectory, parseJson, projectName, readText, type Source, said, sections, timeOf } from './source.js';

const file = z.looseObject({
  tasks: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      description: z.string().nullish(),
      notes: z.string().nullish(),
      status: z.string(),
      dependencies: z.array(z.union([z.string(), z.looseObject({ taskId: z.string() })])).nullish(),
      createdAt: z.string().nullish(),
      completedAt: z.string().nullish(),
      summary: z.string().nullish(),
      implementationGuide: z.string().nullish(),
      verificationCriteria: z.string().nullish(),
      analysisResult: z.string().nullish(),
      relatedFiles: z.array(z.json()).nullish(),
    }),
  ),
});

/** Its statuses were words of Chinese in earlier versions. */
const completed = ['completed', '已完成'];

/** `tasks.json` of shrimp task manager. */
export const shrimp: Source = {
  name: 'shrimp',
  usual: ({ cwd }) => ['.shrimp', 'shrimp_data', 'shrimp-data', 'data'].map((name) => join(cwd, name, 'tasks.json')),
  read(path) {
    const from = isDirectory(path) ? join(path, 'tasks.json') : path;
    const { tasks } = parseJson(readText(from), file, from);
    const name = projectName(from, ['.shrimp', 'shrimp_data', 'shrimp-data', 'data', 'memory']);
    return {
      source: 'shrimp',
      goals: [{ id: 'tasks', name, description: 'The tasks of shrimp task manager.' }],
      tasks: tasks.map(
        (task): ImportedTask => ({
          id: task.id,
          key: task.id,
          goal: 'tasks',
          title: task.name,
          description: sections([
            ['', task.description],
            ['Implementation', task.implementationGuide],
            ['Notes', task.notes],
            ['Analysis', task.analysisResult],
          ]),
          acceptance: task.verificationCriteria ?? undefined,
          status: completed.includes(task.status) ? 'completed' : 'pending',
          dependencies: (task.dependencies ?? []).map((one) => (typeof one === 'string' ? one : one.taskId)),
          result: task.summary ?? undefined,
          createdAt: timeOf(task.createdAt),
          completedAt: timeOf(task.completedAt),
          metadata: said({ related_files: task.relatedFiles }),
        }),
      ),
    };
  },
};
