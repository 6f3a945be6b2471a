import { importances } from '../core/messages/message.js';
import { goalStatuses } from '../core/tasks/goal.js';
import { taskStatuses } from '../core/tasks/task.js';
import { type CommandSet, type DefinedCommand, defineCommand } from './define-command.js';
import { importNames } from './import/import-names.js';
import { commandName } from './launch.js';
import {
  argument,
  choice,
  completedBy,
  count,
  flag,
  numberArgument,
  optionalArgument,
  requiredText,
  text,
} from './options.js';

const isAll = flag('--all', 'of every project');
const limit = (byDefault: number) => count('--limit <count>', `at most this many (default: ${byDefault})`, byDefault);
const isWatched = flag('-w, --watch', 'show it anew after each change, until Ctrl-C');
const goalId = completedBy('goal', count('--goal <id>', 'only of this goal'));

const worktreeTask = completedBy('task', argument('the id or key of the task, or the id of the background task'));

/** What the sessions work on, for people and scripts. All but `import`, `message send` and those of `worktrees` only read. */
export const boardCommands: readonly (DefinedCommand | CommandSet)[] = [
  defineCommand({
    name: 'board',
    description: 'Show the tasks by state.',
    options: { isAll, goalId, limit: limit(10), isWatched },
    load: async () => (await import('./board/board.js')).runBoard,
  }),
  {
    name: 'goals',
    description: 'List the goals with their progress.',
    commands: [
      defineCommand({
        name: 'list',
        isDefault: true,
        description: 'List the goals with their progress, newest first; so does `goals` alone.',
        options: {
          isAll,
          status: choice('--status <status>', 'only goals with this status', goalStatuses),
          limit: limit(20),
          isWatched,
        },
        load: async () => (await import('./board/goals.js')).runGoals,
      }),
      defineCommand({
        name: 'graph',
        description: 'Draw the tasks of a goal and their dependencies, for Mermaid or Graphviz.',
        arguments: { goal: completedBy('goal', numberArgument('the id of the goal')) },
        options: {
          format: choice('--format <format>', 'by default mermaid in a terminal, else JSON', ['mermaid', 'dot']),
        },
        load: async () => (await import('./board/goal-graph.js')).runGoalGraph,
      }),
    ],
  },
  defineCommand({
    name: 'tasks',
    description: 'List tasks, newest first.',
    options: {
      isAll,
      goalId,
      status: choice('--status <status>', 'only tasks with this status', taskStatuses),
      isReady: flag('--ready', 'only tasks that can be started now', { conflictsWith: ['status', 'blocked'] }),
      isBlocked: flag('--blocked', 'only tasks that wait for something', { conflictsWith: 'status' }),
      limit: limit(50),
      isWatched,
    },
    load: async () => (await import('./board/tasks.js')).runTasks,
  }),
  defineCommand({
    name: 'task',
    description: 'Show a task: what it waits for, its history and its result.',
    arguments: { task: completedBy('task', argument('its id or key')) },
    options: { isWatched },
    load: async () => (await import('./board/task.js')).runTask,
  }),
  defineCommand({
    name: 'next',
    description: 'Show which task would be handed out next, or why none is; claims nothing.',
    options: { isAll, goalId, isWatched },
    load: async () => (await import('./board/next.js')).runNext,
  }),
  defineCommand({
    name: 'approve',
    description: 'Let a step of a relay pass that waits for a person, or send it back; without a relay, list them.',
    arguments: { relay: optionalArgument('the id of the relay') },
    options: {
      step: count('--step <index>', 'which one, counted from 0, where several wait'),
      isSentBack: flag('--send-back', 'have it done again instead'),
      feedback: text('--feedback <text>', 'what should be different then'),
    },
    load: async () => (await import('./board/approve.js')).runApprove,
  }),
  {
    name: 'worktrees',
    description: 'Git worktrees of tasks and background tasks: list, merge, discard or keep them.',
    commands: [
      defineCommand({
        name: 'list',
        isDefault: true,
        description: 'List them with what was done in each; so does `worktrees` alone.',
        load: async () => (await import('./worktrees/worktrees.js')).listWorktrees,
      }),
      defineCommand({
        name: 'merge',
        description: 'Merge the worktree of a task into the branch that it began from, if that merges.',
        arguments: { task: worktreeTask },
        load: async () => (await import('./worktrees/worktrees.js')).mergeWorktree,
      }),
      defineCommand({
        name: 'discard',
        description: 'Remove the worktree of a task and its branch.',
        arguments: { task: worktreeTask },
        options: { isForced: flag('--force', 'also with work in it, whose commits a ref keeps') },
        load: async () => (await import('./worktrees/worktrees.js')).discardWorktree,
      }),
      defineCommand({
        name: 'keep',
        description: 'Leave the worktree of a task to yourself: nothing removes it.',
        arguments: { task: worktreeTask },
        load: async () => (await import('./worktrees/worktrees.js')).keepWorktree,
      }),
    ],
  },
  defineCommand({
    name: 'messages',
    description: 'Show the messages between sessions, workers and you; it marks none as read.',
    options: {
      isAll,
      thread: count('--thread <id>', 'only this thread, oldest first'),
      limit: limit(20),
      isWatched,
    },
    load: async () => (await import('./board/messages.js')).runMessages,
  }),
  {
    name: 'message',
    description: 'Send a message to those who work.',
    commands: [
      defineCommand({
        name: 'send',
        description: 'Send a message to a worker, a session, the workers of a goal, or all; from stdin without --body.',
        options: {
          to: requiredText('--to <whom>', 'a worker, slot:N or session, goal:ID, or all'),
          subject: requiredText('--subject <text>', 'one line'),
          body: text('--body <text>', 'the text; by default it is read from stdin'),
          thread: count('--thread <id>', 'the message that this answers'),
          importance: choice('--importance <word>', 'by default normal', importances),
        },
        load: async () => (await import('./board/messages.js')).runSendMessage,
      }),
    ],
  },
  defineCommand({
    name: 'import',
    description: 'Take over the goals and tasks of another program. Without --yes, it only shows what it would do.',
    arguments: {
      source: argument('where they come from', importNames),
      path: optionalArgument('the file or directory; by default where that program keeps it'),
    },
    options: {
      isConfirmed: flag('--yes', 'write them'),
      prefix: text('--prefix <text>', 'put this before every key, so that those of two projects differ'),
    },
    helpAfter: `
Sources:
  task-master       tasks.json of task-master, with its tags and subtasks
  beads             .beads/issues.jsonl, what \`bd export\` writes, or the beads.db of earlier versions
  backlog-md        the directory of Backlog.md
  shrimp            tasks.json of shrimp task manager
  vibe-kanban       the database of vibe-kanban
  github            a file made by \`gh issue list --state all --limit 1000 --json
                    number,title,body,state,stateReason,url,labels,assignees,milestone,createdAt,closedAt\`
  background-agent  the database of the earlier background agent, with its outputs
  agent-runtime     what \`${commandName} export\` wrote

Keys are kept. What an earlier import has brought stays as it is, so an import can be repeated.
`,
    load: async () => (await import('./import/import.js')).runImport,
  }),
  defineCommand({
    name: 'export',
    description: 'Write the goals and tasks as JSON, which `import agent-runtime` reads, or as Markdown.',
    options: {
      isAll,
      goalId,
      format: choice('--format <format>', 'by default JSON, or by the name of the file', ['json', 'markdown']),
      file: text('-o, --output <file>', 'write to this file instead'),
    },
    load: async () => (await import('./import/export.js')).runExport,
  }),
];
