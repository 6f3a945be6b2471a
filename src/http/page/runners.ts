import { z } from 'zod';
import { type RunnerOnBoard, readRunners } from '../../core/overview/runners.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { iso } from '../../tools/call/fields.js';

/** `runners`: the processes that do jobs, and what each carries. Times are ISO 8601. */
const runnerList = z.strictObject({
  runners: z.array(
    z.strictObject({
      id: z.string(),
      state: z.string(),
      /** call: model calls, many at once; process: everything else. */
      lane: z.string(),
      /** 0 when it takes no more. */
      capacity: z.int(),
      pid: z.int().nullable(),
      started_at: z.string(),
      heartbeat_at: z.string().nullable(),
      jobs: z.array(z.strictObject({ id: z.string(), name: z.string(), started_at: z.string().nullable() })),
    }),
  ),
});

export type RunnerList = z.infer<typeof runnerList>;

const showRunner = ({ createdAt, heartbeatAt, jobs, ...runner }: RunnerOnBoard) => ({
  ...runner,
  started_at: iso(createdAt),
  heartbeat_at: iso(heartbeatAt),
  jobs: jobs.map(({ startedAt, ...job }) => ({ ...job, started_at: iso(startedAt) })),
});

export const runnerReads = [
  defineTool({
    name: 'runners',
    title: 'Runners',
    effect: 'read',
    description: 'The processes that do jobs, with what each carries.',
    input: z.strictObject({}),
    output: runnerList,
    handler: async (_, { runtime }) => ({ runners: (await readRunners(runtime.db)).map(showRunner) }),
  }),
];
