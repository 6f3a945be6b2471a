import { z } from 'zod';
import { readRecent, readRunning } from '../../core/overview/running.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { showEvent } from '../../tools/shapes/event.js';
import { now, showRunningJob, showRunningTask } from './now.js';

const recentMs = 3_600_000;

/** What the first view of the page reads. */
export const nowReads = [
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
      const shown = [...running.jobs.map(showRunningJob), ...running.tasks.map((task) => showRunningTask(task, at))];
      return {
        running: shown.sort((one, other) => (one.since < other.since ? -1 : 1)),
        running_count: running.jobCount + running.taskCount,
        recent: recent.map(showEvent),
      };
    },
  }),
];
