import { z } from 'zod';
import type { ToolProcess } from '../../core/overview/tool-processes.js';
import { iso } from '../../tools/call/fields.js';
import { withNames } from './names.js';

const toolProcess = z.strictObject({
  server: z.string(),
  pid: z.int(),
  started_at: z.string(),
  /** The session that has started it; null for a runner of jobs, a keeper of shared servers or a dashboard. */
  holder: z.string().nullable(),
  owner_pid: z.int(),
});

export type ShownToolProcess = z.infer<typeof toolProcess>;

/** `tool_processes`: the processes of tool servers of all sessions. */
export const toolProcesses = z.strictObject({ processes: z.array(toolProcess), ...withNames });

export type ToolProcesses = z.infer<typeof toolProcesses>;

export const showToolProcess = ({ startedAt, ownerPid, ...process }: ToolProcess): ShownToolProcess => ({
  ...process,
  started_at: iso(startedAt),
  owner_pid: ownerPid,
});
