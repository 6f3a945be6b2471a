import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../../base/errors.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import {
  isDirectory,
  parseAs,
  priorityOf,
  projectName,
  readText,
  type Source,
  said,
  sections,
  timeOf,
  unreadable,
} from './source.js';

const texts = z.union([z.string().transform((one) => [one]), z.array(z.string())]).nullish();

const head = z.looseObject({
  id: z.string(),
  title: z.coerce.string(),
  status: z.string().nullish(),
  assignee: texts,
  labels: texts,
  dependencies: texts,
  parent_task_id: z.string().nullish(),
  priority: z.string().nullish(),
  milestone: z.coerce.string().nullish(),
  created_date: z.unknown().optional(),
  due_date: z.unknown().optional(),
});

/** The Markdown files of Backlog.md: one a task, with YAML at its head. Drafts and the archive stay where they are. */
export const backlogMd: Source = {
  name: 'backlog-md',
  usual: ({ cwd }) => ['backlog', '.backlog'].map((name) => join(cwd, name)),
  read(path) {
    if (!isDirectory(path)) throw unreadable(path, 'it is not a directory');
    const directory = existsSync(join(path, 'tasks')) ? path : join(path, 'backlog');
    const files = ['tasks', 'completed'].flatMap((name) => filesIn(join(directory, name)));
    if (files.length === 0) throw unreadable(path, 'it has no files in tasks or completed');
    const statuses = statusesOf(directory);
    return {
      source: 'backlog-md',
      goals: [
        { id: 'tasks', name: projectName(directory, ['backlog', '.backlog']), description: 'The tasks of Backlog.md.' },
      ],
      tasks: files.map((file) => readTask(file, readText(file), statuses)),
    };
  },
};

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.md') && name.toLowerCase() !== 'readme.md')
    .sort()
    .map((name) => join(directory, name));
}

/** The project's own statuses; the last one is that of what is done. */
function statusesOf(directory: string): string[] {
  const file = ['config.yml', 'config.yaml'].map((name) => join(directory, name)).find((path) => existsSync(path));
  if (file === undefined) return ['To Do', 'In Progress', 'Done'];
  const config = parseAs(
    readYaml(readText(file), file) ?? {},
    z.looseObject({ statuses: z.array(z.string()).nullish() }),
    file,
  );
  return config.statuses?.length ? config.statuses : ['To Do', 'In Progress', 'Done'];
}

function readTask(file: string, text: string, statuses: readonly string[]): ImportedTask {
  const [, yaml, body = ''] = /^---\r?\n(.*?)\r?\n---\r?\n?(.*)$/s.exec(text) ?? [];
  if (yaml === undefined) throw unreadable(file, 'it has no head between two lines of ---');
  const given = parseAs(readYaml(yaml, file), head, file);
  const status = given.status ?? statuses[0] ?? '';
  const isDone = same(status, statuses.at(-1) ?? 'Done') || /[/\\]completed[/\\]/.test(file);
  const part = (heading: string) => sectionOf(body, heading);
  return {
    id: nameOf(given.id),
    key: nameOf(given.id),
    goal: 'tasks',
    title: given.title,
    description: sections([
      ['', part('Description')],
      ['Plan', part('Implementation Plan')],
      ['Notes', part('Implementation Notes')],
    ]),
    acceptance: sections([
      ['', part('Acceptance Criteria')],
      ['Definition of done', part('Definition of Done')],
    ]),
    status: isDone ? 'completed' : 'pending',
    priority: priorityOf(given.priority),
    dependencies: (given.dependencies ?? []).map(nameOf),
    parent: given.parent_task_id ? nameOf(given.parent_task_id) : undefined,
    result: isDone ? part('Final Summary') || undefined : undefined,
    deadlineAt: timeOf(given.due_date),
    createdAt: timeOf(given.created_date),
    metadata: said({
      assignee: given.assignee,
      labels: given.labels,
      milestone: given.milestone,
      status: isDone || same(status, statuses[0] ?? '') ? undefined : status,
    }),
  };
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Ids are written in any case: `task-12` and `TASK-12` are one. */
const nameOf = (id: string): string => id.toUpperCase();

/** The text under a heading of the second level, without the marks that Backlog.md puts around it. */
function sectionOf(body: string, heading: string): string {
  const lines = body.split(/\r?\n/);
  const start = lines.findIndex((line) => same(line.trim(), `## ${heading}`));
  if (start === -1) return '';
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^## /.test(line));
  return (end === -1 ? rest : rest.slice(0, end))
    .filter((line) => !/^<!-- [\w:]+ -->$/.test(line.trim()))
    .join('\n')
    .trim();
}

function readYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw unreadable(file, `its YAML cannot be read: ${messageOf(error).split('\n')[0]}`);
  }
}
