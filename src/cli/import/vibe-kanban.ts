import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { isDirectory, parseAs, type Source, said, timeOf } from './source.js';
import { type ForeignDatabase, openForeign } from './sqlite-file.js';

/** It stores UUIDs as 16 bytes. */
const uuid = z.union([z.string(), z.instanceof(Uint8Array)]).transform((id) => {
  if (typeof id === 'string') return id;
  return Buffer.from(id)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
});

const project = z.looseObject({ id: uuid, name: z.string() });
const task = z.looseObject({
  id: uuid,
  project_id: uuid,
  title: z.string(),
  description: z.string().nullish(),
  status: z.string(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  parent_workspace_id: uuid.nullish(),
  parent_task_attempt: uuid.nullish(),
});
const workspace = z.looseObject({ id: uuid, task_id: uuid.nullish() });

const ends: Readonly<Record<string, ImportedTask['status']>> = { done: 'completed', cancelled: 'cancelled' };

/** The projects and tasks in the database of vibe-kanban. A task that came up during work on another is linked to it. */
export const vibeKanban: Source = {
  name: 'vibe-kanban',
  usual: ({ home }) =>
    [
      '.local/share/vibe-kanban',
      'Library/Application Support/ai.bloop.vibe-kanban',
      'AppData/Roaming/bloop/vibe-kanban/data',
    ].flatMap((directory) => ['db.v2.sqlite', 'db.sqlite'].map((name) => join(home, directory, name))),
  async read(path) {
    const file = isDirectory(path) ? join(path, 'db.sqlite') : path;
    const database = await openForeign(file, ['projects', 'tasks']);
    try {
      const projects = database.all('select * from projects').map((row) => parseAs(row, project, file));
      const rows = database.all('select * from tasks order by created_at').map((row) => parseAs(row, task, file));
      const origins = originsIn(database, file);
      return {
        source: 'vibe-kanban',
        goals: projects.map(({ id, name }) => ({ id, name, description: 'A project of vibe-kanban.' })),
        tasks: rows.map((row) => readTask(row, origins)),
      };
    } finally {
      database.close();
    }
  },
};

/** The task that each workspace works on; earlier versions called a workspace an attempt. */
function originsIn({ all, tables }: ForeignDatabase, file: string): Map<string, string> {
  const table = ['workspaces', 'task_attempts'].find((name) => tables.has(name));
  const rows = table === undefined ? [] : all(`select * from ${table}`).map((row) => parseAs(row, workspace, file));
  return new Map(rows.flatMap(({ id, task_id }): [string, string][] => (task_id ? [[id, task_id]] : [])));
}

function readTask(row: z.output<typeof task>, origins: ReadonlyMap<string, string>): ImportedTask {
  const status = ends[row.status] ?? 'pending';
  return {
    id: row.id,
    key: row.id,
    goal: row.project_id,
    title: row.title,
    description: row.description ?? '',
    status,
    dependencies: [],
    discoveredFrom: origins.get(row.parent_workspace_id ?? row.parent_task_attempt ?? ''),
    createdAt: timeOf(row.created_at),
    completedAt: status === 'pending' ? undefined : timeOf(row.updated_at),
    metadata: said({ status: status !== 'pending' || row.status === 'todo' ? undefined : row.status }),
  };
}
