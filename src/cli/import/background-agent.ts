import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { isDirectory, parseAs, readText, type Source, said, timeOf } from './source.js';
import { openForeign } from './sqlite-file.js';

const row = z.looseObject({
  task_id: z.string(),
  description: z.string(),
  status: z.string(),
  output_file: z.string().nullish(),
  created_at: z.string().nullish(),
  completed_at: z.string().nullish(),
});

/** The tasks of the earlier background agent, with the outputs that it kept beside its database. */
export const backgroundAgent: Source = {
  name: 'background-agent',
  usual: ({ home }) => [join(home, '.cache/claude_background_agent/tasks.db')],
  async read(path) {
    const file = isDirectory(path) ? join(path, 'tasks.db') : path;
    const { all, close } = await openForeign(file, ['tasks']);
    try {
      const rows = all('select * from tasks order by created_at, task_id').map((each) => parseAs(each, row, file));
      return {
        source: 'background-agent',
        goals: [{ id: 'tasks', name: 'Earlier background tasks', description: `The tasks of ${file}.` }],
        tasks: rows.map(readTask),
      };
    } finally {
      close();
    }
  },
};

const ends: Readonly<Record<string, ImportedTask['status']>> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

function readTask({
  task_id,
  description,
  output_file,
  created_at,
  completed_at,
  ...given
}: z.output<typeof row>): ImportedTask {
  const output = output_file && existsSync(output_file) ? readText(output_file).trim() : '';
  // The process that ran it ended with that server, so what was running is still to be done.
  const status = ends[given.status] ?? 'pending';
  return {
    id: task_id,
    key: task_id,
    goal: 'tasks',
    title: description,
    description,
    status,
    dependencies: [],
    ...(output === '' ? {} : status === 'failed' ? { error: output } : { result: output }),
    // Python wrote them without a zone, by the clock on the wall.
    createdAt: timeOf(created_at, { isLocal: true }),
    completedAt: timeOf(completed_at, { isLocal: true }),
    metadata: said({ status: status === given.status ? undefined : given.status, output_file }),
  };
}
