import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';

/** What can be suggested to somebody who types: active goals, open tasks, jobs, and templates of tasks. */
export type Suggested = 'goal' | 'task' | 'job' | 'template';

export interface Suggestions {
  /** Ids, keys or names, newest first. */
  values: string[];
  /** Whether there are more than these. */
  hasMore: boolean;
}

export interface SuggestOptions {
  /** Things of this project and of none; of all projects if undefined. */
  project: string | undefined;
  limit: number;
}

/** The ids that begin with what has been typed, and those of things whose name contains it. */
export async function suggest(
  sql: Pick<Sql, 'all'>,
  kind: Suggested,
  typed: string,
  { project, limit }: SuggestOptions,
): Promise<Suggestions> {
  const { select, isOpen, id, name, order, hasProject } = kinds[kind];
  const text = typed
    .trim()
    .toLowerCase()
    .replace(/[\\%_]/g, '\\$&');
  const found = where(
    { text: isOpen, values: [] },
    is(`(lower(${id}) like ? escape '\\' or lower(${name}) like ? escape '\\')`, `${text}%`, `%${text}%`),
    hasProject && is("project in (?, '')", project),
  );
  const rows = await sql.all<{ id: string }>(
    `${select} ${found.text} order by ${order} limit ?`,
    ...found.values,
    limit + 1,
  );
  return { values: rows.slice(0, limit).map((row) => row.id), hasMore: rows.length > limit };
}

interface Kind {
  select: string;
  isOpen: string;
  /** What is suggested, as text. */
  id: string;
  /** By which it is found too. */
  name: string;
  order: string;
  hasProject: boolean;
}

const kinds: Readonly<Record<Suggested, Kind>> = {
  goal: {
    select: 'select cast(goals.id as text) as id from goals',
    isOpen: "status = 'active'",
    id: 'cast(goals.id as text)',
    name: 'name',
    order: 'goals.id desc',
    hasProject: true,
  },
  task: {
    select: 'select coalesce(key, cast(tasks.id as text)) as id from tasks',
    isOpen: "status in ('pending', 'in_progress')",
    id: 'coalesce(key, cast(tasks.id as text))',
    name: 'title',
    order: 'tasks.id desc',
    hasProject: true,
  },
  job: { select: 'select id from jobs', isOpen: '1 = 1', id: 'id', name: 'type', order: 'seq desc', hasProject: true },
  template: {
    select: 'select name as id from task_templates',
    isOpen: '1 = 1',
    id: 'name',
    name: 'description',
    order: 'name',
    hasProject: false,
  },
};
