import { z } from 'zod';
import { needingAmong } from '../../core/attention/attention.js';
import { boardStates, readBoard, readBoardList, readNeighbours } from '../../core/overview/board.js';
import { readBoardChoices } from '../../core/overview/board-choices.js';
import { readGoalRun } from '../../core/overview/goal-run.js';
import { goalOrders, readGoalGraph, readGoals } from '../../core/overview/goals.js';
import { readJobsOfTask } from '../../core/overview/job-board.js';
import { readSessions } from '../../core/overview/sessions.js';
import { goalStatuses } from '../../core/tasks/goal.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { cursor, goalId, iso, whenTrue } from '../../tools/call/fields.js';
import { fromCursor } from '../../tools/call/page.js';
import { showMessage } from '../../tools/shapes/message.js';
import { reservedOutput, showReserved } from '../../tools/shapes/reservation.js';
import { boardFilter, toFilter } from './board-filter.js';
import { goalGraph, goalPage, goalRun, showGoalProgress, showGoalRun } from './goals.js';
import { messagePage } from './messages.js';
import { names, referencesOf, showNames } from './names.js';
import { queueWorkersOutput, showQueueWorker } from './queue-workers.js';
import { sessionList, showSessions } from './sessions.js';
import { board, boardChoices, showCard, showCards, taskLinks, taskPage } from './tasks.js';

const rows = (byDefault: number, most: number) =>
  z.int().min(1).max(most).default(byDefault).describe(`At most this many; ${byDefault} unless given.`);

/** A page of rows, of which one more than asked for was read, to know whether there are others. */
function pageOf<Row extends { id: number }, Shown>(read: readonly Row[], limit: number, show: (row: Row) => Shown) {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(show), ...(read.length > limit && last ? { next_cursor: String(last.id) } : {}) };
}

/** Jobs of one task. */
const mostJobs = 20;

/**
 * What the page reads and no tool returns, because whole boards with exact counts are of no use to a model. Declared as
 * tools are, so that input, errors and addresses are the same: `/api/page/NAME`.
 */
export const boardReads = [
  defineTool({
    name: 'board',
    title: 'The board by state',
    effect: 'read',
    description: 'How many tasks are in each state under a filter, and the first of each.',
    input: z.strictObject({ ...boardFilter, limit: rows(25, 100) }),
    output: board,
    handler: async (input, { runtime }) => {
      const { columns, ...summary } = await readBoard(runtime, toFilter(input), input.limit);
      const { ready, waiting, in_progress, completed, failed, cancelled } = columns;
      const shown = {
        ready: showCards(ready),
        waiting: showCards(waiting),
        in_progress: showCards(in_progress),
        completed: showCards(completed),
        failed: showCards(failed),
        cancelled: showCards(cancelled),
      };
      const named = await showNames(runtime.db, referencesOf(Object.values(shown).flat()));
      return { ...summary, columns: shown, ...named };
    },
  }),

  defineTool({
    name: 'tasks',
    title: 'The board as a list',
    effect: 'read',
    description: 'How many tasks are in each state under a filter, and a page of them, newest first.',
    input: z.strictObject({
      ...boardFilter,
      state: z.enum(boardStates).optional().describe('Only tasks in this state.'),
      limit: rows(100, 500),
      cursor,
    }),
    output: taskPage,
    handler: async (input, { runtime }) => {
      const beforeId = fromCursor(input.cursor);
      const { tasks, ...summary } = await readBoardList(runtime, {
        ...toFilter(input),
        ...(input.state === undefined ? {} : { state: input.state }),
        ...(beforeId === undefined ? {} : { beforeId }),
        limit: input.limit + 1,
      });
      const { items, ...rest } = pageOf(tasks, input.limit, showCard);
      return { ...summary, tasks: items, ...rest, ...(await showNames(runtime.db, referencesOf(items))) };
    },
  }),

  defineTool({
    name: 'board_choices',
    title: 'What the board can be filtered by',
    effect: 'read',
    description: 'The newest goals, and the projects and workers there are.',
    input: z.strictObject({}),
    output: boardChoices,
    handler: (_, { runtime }) => readBoardChoices(runtime.db),
  }),

  defineTool({
    name: 'task_links',
    title: 'What is before and after a task',
    effect: 'read',
    description: 'The tasks that a task depends on, those that depend on it, its jobs, and the name of its goal.',
    input: z.strictObject({ task_id: z.int().min(1).describe("The task's number."), limit: rows(100, 500) }),
    output: taskLinks,
    handler: async (input, { runtime }) => {
      const { dependencies, dependents, goalName } = await readNeighbours(runtime.db, input.task_id, input.limit);
      const jobs = await readJobsOfTask(runtime.db, input.task_id, mostJobs);
      return {
        dependencies: showCards(dependencies),
        dependents: showCards(dependents),
        goal_name: goalName,
        jobs: jobs.map(({ createdAt, ...job }) => ({ ...job, created_at: iso(createdAt) })),
      };
    },
  }),

  defineTool({
    name: 'goals',
    title: 'Goals with their progress',
    effect: 'read',
    description: 'Goals with tasks by state and tokens against budget.',
    input: z.strictObject({
      status: z.enum(goalStatuses).optional().describe('Only goals of this status.'),
      text: z.string().max(200).optional().describe('Only goals with this text in their name or description.'),
      order: z.enum(goalOrders).default('newest').describe('attention: with failed and overdue tasks first.'),
      limit: rows(50, 200),
      cursor,
    }),
    output: goalPage,
    handler: async (input, { runtime }) => {
      const { status, text, order, limit } = input;
      const offset = fromCursor(input.cursor) ?? 0;
      const goals = await readGoals(runtime.db, { status, text, order, offset, limit: limit + 1 });
      const next = goals.length > limit ? { next_cursor: String(offset + limit) } : {};
      return { goals: goals.slice(0, limit).map(showGoalProgress), ...next };
    },
  }),

  defineTool({
    name: 'goal_graph',
    title: "A goal's tasks and their dependencies",
    effect: 'read',
    description: 'The nodes and edges of a goal, with its critical path; the open tasks first where not all fit.',
    input: z.strictObject({
      goal_id: goalId,
      open_only: z.boolean().default(false).describe('Only tasks that are not done.'),
      limit: rows(600, 1_000),
    }),
    output: goalGraph,
    handler: async (input, { runtime }) => {
      const options = { isOpenOnly: input.open_only, limit: input.limit };
      const { nodes, criticalPath, ...graph } = await readGoalGraph(runtime, input.goal_id, options);
      const shown = showCards(nodes);
      const named = await showNames(runtime.db, referencesOf(shown));
      return { nodes: shown, ...graph, critical_path: criticalPath, ...named };
    },
  }),

  defineTool({
    name: 'goal_run',
    title: 'The run of a goal',
    effect: 'read',
    description: 'The run that works on a goal, or the last one: how far it is, what it works on, how it ended.',
    input: z.strictObject({ goal_id: goalId }),
    output: goalRun,
    handler: async (input, { runtime }) => showGoalRun(await readGoalRun(runtime.db, input.goal_id)),
  }),

  defineTool({
    name: 'sessions',
    title: 'Sessions',
    effect: 'read',
    description: 'Live sessions and those that ended last, with what each holds, and what callers without one hold.',
    input: z.strictObject({}),
    output: sessionList,
    handler: async (_, { runtime }) => {
      const shown = showSessions(await readSessions(runtime.db));
      const holders = [...shown.sessions, ...shown.others].map(({ holder }) => holder);
      return { ...shown, ...(await showNames(runtime.db, holders)) };
    },
  }),

  defineTool({
    name: 'names',
    title: 'Names of things and callers',
    effect: 'read',
    description: 'What people call tasks, goals, jobs, relays, sessions, workers and persons, by their references.',
    input: z.strictObject({
      references: z.array(z.string().min(1).max(400)).max(100).describe('Such as task:8, job:ID or session:ID.'),
    }),
    output: z.strictObject({ names }),
    handler: ({ references }, { runtime }) => showNames(runtime.db, references),
  }),

  defineTool({
    name: 'reservations',
    title: 'Reserved paths',
    effect: 'read',
    description: 'The paths that sessions have reserved, of all projects, as whole paths.',
    input: z.strictObject({}),
    output: reservedOutput,
    handler: async (_, { runtime, actor }) =>
      showReserved(await runtime.reservations.list({ ...actor, project: '' }), actor),
  }),

  defineTool({
    name: 'queue_workers',
    title: 'Workers of the queue',
    effect: 'read',
    description: 'The long-lived processes that work the queue, of all hosts.',
    input: z.strictObject({}),
    output: queueWorkersOutput,
    handler: async (_, { runtime }) => ({ workers: (await runtime.queueWorkers.list()).map(showQueueWorker) }),
  }),

  defineTool({
    name: 'messages',
    title: 'Messages',
    effect: 'read',
    description: 'The messages between sessions, workers and people, newest first, whoever they are for.',
    input: z.strictObject({
      thread: z.int().min(1).optional().describe('Only this thread.'),
      limit: rows(50, 200),
      cursor,
    }),
    output: messagePage,
    handler: async (input, { runtime }) => {
      const filter = { thread: input.thread, beforeId: fromCursor(input.cursor), limit: input.limit + 1 };
      const { items, ...rest } = pageOf(await runtime.messages.list(filter), input.limit, showMessage);
      const ids = items.map(({ id }) => String(id));
      const unread = await needingAmong(runtime.db, 'message', ids, runtime.clock.now());
      return { messages: items.map((one) => ({ ...one, unread: whenTrue(unread.has(String(one.id))) })), ...rest };
    },
  }),
];
