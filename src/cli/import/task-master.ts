import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedGoal } from '../../core/goals/import-board.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { isDirectory, parseJson, priorityOf, projectName, readText, type Source, said, sections } from './source.js';

const id = z.union([z.number(), z.string()]).transform(String);

const common = {
  id,
  title: z.string(),
  description: z.string().nullish(),
  details: z.string().nullish(),
  testStrategy: z.string().nullish(),
  status: z.string().nullish(),
  dependencies: z.array(id).nullish(),
  priority: z.string().nullish(),
  metadata: z.record(z.string(), z.json()).nullish(),
};

const subtask = z.looseObject({ ...common, acceptanceCriteria: z.string().nullish() });
const task = z.looseObject({ ...common, subtasks: z.array(subtask).nullish() });
const list = z.looseObject({
  tasks: z.array(task),
  metadata: z.looseObject({ description: z.string().nullish() }).nullish(),
});

type Given = z.output<typeof subtask> & { subtasks?: z.output<typeof subtask>[] | null | undefined };

/**
 * `tasks.json` of task-master: a list of tasks for each tag, or the older form with one list. Its ids count within a tag,
 * and those of subtasks within their task: `master:3` and `master:3.1` here.
 */
export const taskMaster: Source = {
  name: 'task-master',
  usual: ({ cwd }) => [join(cwd, '.taskmaster/tasks/tasks.json'), join(cwd, 'tasks/tasks.json')],
  read(path) {
    const file = isDirectory(path) ? join(path, 'tasks.json') : path;
    const text = readText(file);
    const isOld = z.looseObject({ tasks: z.array(z.unknown()) }).safeParse(parseJson(text, z.unknown(), file)).success;
    const tags = isOld ? { master: parseJson(text, list, file) } : parseJson(text, z.record(z.string(), list), file);
    const project = projectName(file, ['tasks', '.taskmaster']);
    const goals = Object.entries(tags).map(
      ([tag, { metadata }]): ImportedGoal => ({
        id: tag,
        name: tag === 'master' ? project : `${project}: ${tag}`,
        description: metadata?.description ?? `The tasks of the tag ${tag} of task-master.`,
      }),
    );
    const tasks = Object.entries(tags).flatMap(([tag, { tasks: all }]) =>
      all.flatMap((one) => readTask(tag, one, all)),
    );
    return { source: 'task-master', goals, tasks };
  },
};

function readTask(tag: string, one: Given, all: readonly Given[]): ImportedTask[] {
  const whole = toTask(tag, one.id, one, (dependency) => `${tag}:${dependency}`);
  const parts = one.subtasks ?? [];
  return [
    whole,
    ...parts.map((part) => ({
      ...toTask(tag, `${one.id}.${part.id}`, part, (dependency) => {
        // A number is a subtask of the same task; with a dot it is one of any task.
        const isSibling = !dependency.includes('.') && parts.some((sibling) => sibling.id === dependency);
        const isTask = all.some((other) => other.id === dependency);
        return isSibling || (!dependency.includes('.') && !isTask)
          ? `${tag}:${one.id}.${dependency}`
          : `${tag}:${dependency}`;
      }),
      priority: priorityOf(part.priority ?? one.priority),
      parent: whole.id,
    })),
  ];
}

const ends: Readonly<Record<string, ImportedTask['status']>> = {
  done: 'completed',
  completed: 'completed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
};

function toTask(tag: string, place: string, given: Given, nameOf: (dependency: string) => string): ImportedTask {
  const status = given.status?.toLowerCase() ?? 'pending';
  const criteria = typeof given.acceptanceCriteria === 'string' ? given.acceptanceCriteria : undefined;
  return {
    id: `${tag}:${place}`,
    key: `${tag}:${place}`,
    goal: tag,
    title: given.title,
    description: sections([
      ['', given.description],
      ['Details', given.details],
    ]),
    acceptance: sections([
      ['', criteria],
      ['', given.testStrategy],
    ]),
    // What is deferred there comes last here.
    priority: status === 'deferred' ? 1 : priorityOf(given.priority),
    status: ends[status] ?? 'pending',
    dependencies: (given.dependencies ?? []).map(nameOf),
    metadata: { ...given.metadata, ...said({ status: ends[status] || status === 'pending' ? undefined : status }) },
  };
}
