import { z } from 'zod';
import { acknowledge, readAttention, unacknowledge } from '../../core/attention/attention.js';
import { nameJobs } from '../../core/overview/job-names.js';
import { readRecent, readRunning } from '../../core/overview/running.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { tellEvents } from './activity/activity.js';
import { acknowledgedOutput, attention, needKind, showAttention } from './attention.js';
import { showNames } from './names.js';
import { now, showRunningJob, showRunningTask } from './now.js';
import { showToolProcess, toolProcesses } from './tool-processes.js';

const recentMs = 3_600_000;

const kind = needKind.describe('Of which kind.');
const ids = z.array(z.string().min(1).max(300)).min(1).max(1_000);

/** What the first view of the page reads, and how people take note of what needs them; models have no use for it. */
export const nowReads = [
  defineTool({
    name: 'attention',
    title: 'What needs a person',
    effect: 'read',
    description: 'What has failed, is held, late, spent, left behind or unread: the newest of each kind, and how many.',
    input: z.strictObject({
      limit: z.int().min(1).max(200).default(20).describe('At most this many of each kind; 20 unless given.'),
    }),
    output: attention,
    handler: async ({ limit }, { runtime }) => {
      const read = await readAttention(runtime, limit);
      const needs = read.kinds.flatMap((group) => group.needs);
      const jobs = needs.flatMap((need) => (need.type === null ? [] : [{ ...need, type: need.type }]));
      return showAttention(read, await nameJobs(runtime.db, jobs), runtime.clock.now());
    },
  }),

  defineTool({
    name: 'acknowledge',
    title: 'Take note of what needs a person',
    effect: 'write',
    description: 'It needs nobody any more, until it comes up again. What a session waits for stays unread for it.',
    input: z.strictObject({ kind, ids: ids.optional().describe('Only these; all of the kind unless given.') }),
    output: acknowledgedOutput,
    handler: ({ kind, ids }, { runtime: { db, clock }, actor }) =>
      db.transaction(async (sql) => ({ ids: await acknowledge(sql, { kind, ids }, { at: clock.now(), actor }) })),
  }),

  defineTool({
    name: 'unacknowledge',
    title: 'Take an acknowledgement back',
    effect: 'write',
    description: 'What was acknowledged needs a person again.',
    input: z.strictObject({ kind, ids: ids.describe('As `acknowledge` returned them.') }),
    output: acknowledgedOutput,
    handler: (input, { runtime: { db, clock }, actor }) =>
      db.transaction(async (sql) => ({ ids: await unacknowledge(sql, input, { at: clock.now(), actor }) })),
  }),

  defineTool({
    name: 'now',
    title: 'What goes on now',
    effect: 'read',
    description: 'What is being worked on, and what has happened in the last hour.',
    input: z.strictObject({
      limit: z.int().min(1).max(200).default(50).describe('At most this many of each; 50 unless given.'),
    }),
    output: now,
    handler: async ({ limit }, { runtime: { db, clock } }) => {
      const at = clock.now();
      const [running, recent] = await Promise.all([readRunning(db, limit), readRecent(db, at - recentMs, limit)]);
      const [told, jobNames] = await Promise.all([tellEvents(db, recent), nameJobs(db, running.jobs)]);
      const shown = [
        ...running.jobs.map((job) => showRunningJob(job, jobNames.get(job.id) ?? job.type)),
        ...running.tasks.map((task) => showRunningTask(task, at)),
      ];
      return {
        running: shown.sort((one, other) => (one.since < other.since ? -1 : 1)),
        running_count: running.jobCount + running.taskCount,
        recent: told.events,
        names: told.names,
      };
    },
  }),

  defineTool({
    name: 'tool_processes',
    title: 'Processes of tool servers',
    effect: 'read',
    description: 'The processes of tool servers that all sessions have, by server, with the session of each.',
    input: z.strictObject({}),
    output: toolProcesses,
    handler: async (_, { runtime }) => {
      const found = await runtime.toolProcesses();
      const holders = found.map(({ holder }) => holder);
      return { processes: found.map(showToolProcess), ...(await showNames(runtime.db, holders)) };
    },
  }),
];
