import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { JsonObject } from '../../base/json.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import {
  isDirectory,
  parseAs,
  parseJson,
  projectName,
  readText,
  type Source,
  said,
  sections,
  timeOf,
  unreadable,
} from './source.js';
import { openForeign } from './sqlite-file.js';

const dependency = z.looseObject({
  issue_id: z.string().nullish(),
  depends_on_id: z.string(),
  type: z.string().nullish(),
});

const issue = z.looseObject({
  id: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  design: z.string().nullish(),
  acceptance_criteria: z.string().nullish(),
  notes: z.string().nullish(),
  status: z.string().nullish(),
  priority: z.int().nullish(),
  issue_type: z.string().nullish(),
  assignee: z.string().nullish(),
  created_at: z.string().nullish(),
  started_at: z.string().nullish(),
  closed_at: z.string().nullish(),
  close_reason: z.string().nullish(),
  due_at: z.string().nullish(),
  defer_until: z.string().nullish(),
  external_ref: z.string().nullish(),
  labels: z.array(z.string()).nullish(),
  dependencies: z.array(dependency).nullish(),
  comments: z.array(z.looseObject({ author: z.string().nullish(), text: z.string() })).nullish(),
});

type Issue = z.output<typeof issue>;

/**
 * Issues of beads: the JSON lines that it exports, or the SQLite file of its earlier versions. Later versions keep them in
 * Dolt, which only `bd export` reads.
 */
export const beads: Source = {
  name: 'beads',
  usual: ({ cwd }) => [join(cwd, '.beads')],
  async read(path) {
    const file = isDirectory(path) ? fileIn(path) : path;
    const issues = /\.(db|sqlite3?)$/.test(file) ? await readDatabase(file) : readLines(file);
    const kept = issues.filter(({ status }) => status !== 'tombstone');
    return {
      source: 'beads',
      goals: [{ id: 'issues', name: projectName(file, ['.beads']), description: 'The issues of beads.' }],
      tasks: kept.map(readIssue),
    };
  },
};

function fileIn(directory: string): string {
  const names = ['issues.jsonl', 'beads.jsonl', 'beads.db'];
  const found = names.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw unreadable(directory, `it has none of ${names.join(', ')}; run \`bd export -o issues.jsonl\` and import that`);
}

/** One issue a line, or all of them as a list. */
function readLines(file: string): Issue[] {
  const text = readText(file);
  if (text.trimStart().startsWith('[')) return parseJson(text, z.array(issue), file);
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `${file}, line ${index + 1},`;
    const { _type } = parseJson(line, z.looseObject({ _type: z.string().nullish() }), place);
    // A line may also be a memory or a setting.
    return (_type ?? 'issue') === 'issue' ? [parseJson(line, issue, place)] : [];
  });
}

async function readDatabase(file: string): Promise<Issue[]> {
  const { all, close } = await openForeign(file, ['issues', 'dependencies']);
  try {
    const dependencies = all('select issue_id, depends_on_id, type from dependencies').map((row) =>
      parseAs(row, dependency, file),
    );
    const labels = all('select issue_id, label from labels') as { issue_id: string; label: string }[];
    const comments = all('select issue_id, author, text from comments order by id') as {
      issue_id: string;
      author: string;
      text: string;
    }[];
    return all('select * from issues order by created_at, id').map((row) =>
      parseAs(
        {
          ...row,
          dependencies: dependencies.filter(({ issue_id }) => issue_id === row.id),
          labels: labels.flatMap(({ issue_id, label }) => (issue_id === row.id ? [label] : [])),
          comments: comments.filter(({ issue_id }) => issue_id === row.id),
        },
        issue,
        file,
      ),
    );
  } finally {
    close();
  }
}

/** Kinds of links for which an issue waits. */
const blocking = ['blocks', 'conditional-blocks', 'waits-for'];

/** 0 is the most urgent there. */
const priorities = [10, 8, 5, 3, 1];

function readIssue(given: Issue): ImportedTask {
  const links = given.dependencies ?? [];
  const of = (...types: string[]) =>
    links.flatMap((link) => (types.includes(link.type ?? 'blocks') ? link.depends_on_id : []));
  const [parent] = of('parent-child');
  const [discoveredFrom] = of('discovered-from');
  const others = links.filter(
    ({ type }) => ![...blocking, 'parent-child', 'discovered-from'].includes(type ?? 'blocks'),
  );
  const status = given.status ?? 'open';
  const metadata: JsonObject = said({
    type: given.issue_type,
    assignee: given.assignee,
    external_ref: given.external_ref,
    labels: given.labels,
    links: others.map(({ type, depends_on_id }) => `${type}: ${depends_on_id}`),
    status: status === 'open' || status === 'closed' ? undefined : status,
  });
  return {
    id: given.id,
    key: given.id,
    goal: 'issues',
    title: given.title,
    description: sections([
      ['', given.description],
      ['Design', given.design],
      ['Notes', given.notes],
      ['Comments', (given.comments ?? []).map(({ author, text }) => `${author ?? 'someone'}: ${text}`).join('\n')],
    ]),
    acceptance: given.acceptance_criteria ?? undefined,
    status: status === 'closed' ? 'completed' : 'pending',
    priority: status === 'deferred' ? 1 : (priorities[given.priority ?? 2] ?? 5),
    dependencies: of(...blocking),
    parent,
    discoveredFrom,
    result: given.close_reason ?? undefined,
    deadlineAt: timeOf(given.due_at),
    notBefore: timeOf(given.defer_until),
    createdAt: timeOf(given.created_at),
    startedAt: timeOf(given.started_at),
    completedAt: timeOf(given.closed_at),
    metadata,
  };
}
