import type { StreamedEvent } from '../../../http/event-stream.js';

/** In the order of the choice; the compiler knows whether one is missing. */
const words: Readonly<Record<StreamedEvent['subject'], string>> = {
  goal: 'Goals',
  task: 'Tasks',
  job: 'Jobs',
  relay: 'Relays',
  message: 'Messages',
  session: 'Sessions',
  slot: 'Worker slots',
  path: 'Reserved paths',
  breaker: 'Breakers',
  schedule: 'Schedules',
  server: 'Tool servers',
  tool: 'Routes of tools',
  runner: 'Job processes',
  runtime: 'Access and upkeep',
};

const subjects = Object.keys(words) as readonly StreamedEvent['subject'][];

/** What the changes can be filtered by. Moves of worktrees are changes of their tasks and jobs. */
export const kinds = [
  ...subjects.map((value) => ({ value: value as string, words: words[value] })),
  { value: 'worktree', words: 'Worktrees' },
];

/** The subjects whose changes can be among those of a kind. */
export function subjectsOf(kind: string | undefined): readonly string[] {
  if (kind === undefined) return subjects;
  return kind === 'worktree' ? ['task', 'job'] : [kind];
}
