import { z } from 'zod';
import type { ImportedGoal } from '../../core/goals/import-board.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { parseJson, priorityOf, readText, type Source, said, timeOf, unreadable } from './source.js';

const issues = z.array(
  z.looseObject({
    number: z.int(),
    title: z.string(),
    body: z.string().nullish(),
    state: z.string().nullish(),
    stateReason: z.string().nullish(),
    url: z.string().nullish(),
    labels: z.array(z.looseObject({ name: z.string() })).nullish(),
    assignees: z.array(z.looseObject({ login: z.string() })).nullish(),
    milestone: z.looseObject({ number: z.int(), title: z.string(), description: z.string().nullish() }).nullish(),
    createdAt: z.string().nullish(),
    closedAt: z.string().nullish(),
  }),
);

type Issue = z.output<typeof issues>[number];

/** Issues as `gh issue list --json` prints them. A milestone is a goal. */
export const github: Source = {
  name: 'github',
  usual: () => [],
  read(path) {
    const all = parseJson(readText(path), issues, path);
    if (all.length > 0 && !all.some(({ state }) => state)) {
      throw unreadable(path, 'no issue has a "state"; add state to the fields of --json');
    }
    const goals = new Map<string, ImportedGoal>();
    for (const issue of all) {
      const id = goalOf(issue);
      const { milestone } = issue;
      const name = milestone?.title ?? `Issues${repository(issue) === '' ? '' : ` of ${repository(issue)}`}`;
      if (!goals.has(id)) goals.set(id, { id, name, description: milestone?.description ?? '' });
    }
    return { source: 'github', goals: [...goals.values()], tasks: all.map(readIssue) };
  },
};

/** `owner/name` */
const repository = ({ url }: Issue): string => /^https:\/\/[^/]+\/([^/]+\/[^/]+)\/issues\//.exec(url ?? '')?.[1] ?? '';

const goalOf = (issue: Issue): string =>
  issue.milestone ? `${repository(issue)}/milestone/${issue.milestone.number}` : `${repository(issue)}/issues`;

function readIssue(issue: Issue): ImportedTask {
  const key = `${repository(issue)}#${issue.number}`;
  const labels = (issue.labels ?? []).map(({ name }) => name);
  const isClosed = issue.state?.toUpperCase() === 'CLOSED';
  const reason = issue.stateReason?.toUpperCase();
  return {
    id: key,
    key,
    goal: goalOf(issue),
    title: issue.title,
    description: issue.body ?? '',
    status: isClosed ? (reason === 'NOT_PLANNED' || reason === 'DUPLICATE' ? 'cancelled' : 'completed') : 'pending',
    priority: labels.map(priorityOfLabel).find((priority) => priority !== undefined),
    dependencies: [],
    createdAt: timeOf(issue.createdAt),
    completedAt: timeOf(issue.closedAt),
    metadata: said({ url: issue.url, labels, assignees: (issue.assignees ?? []).map(({ login }) => login) }),
  };
}

/** Of labels such as `P1`, `priority: high` and `priority/critical`. */
function priorityOfLabel(label: string): number | undefined {
  const [, level] = /^p([0-4])$/i.exec(label) ?? [];
  if (level !== undefined) return [10, 8, 5, 3, 1][Number(level)];
  return priorityOf(/^(?:priority|prio)[\s:/-]*(\w+)$/i.exec(label)?.[1]);
}
