import { z } from 'zod';
import type { readSessions } from '../../core/overview/sessions.js';
import { iso } from '../../tools/call/fields.js';
import { withNames } from './names.js';

const holdings = z.strictObject({
  slots: z.array(z.int()),
  tasks: z.array(
    z.strictObject({ id: z.int(), title: z.string(), worker: z.string().nullable(), lease_expires_at: z.string() }),
  ),
  jobs: z.strictObject({ running: z.int(), pending: z.int() }),
});

/** What a session, or a caller without one, holds. */
export type Holdings = z.infer<typeof holdings>;

/** `sessions`: the sessions, live ones first, with what each holds. Times are ISO 8601. */
export const sessionList = z.strictObject({
  sessions: z.array(
    z.strictObject({
      id: z.string(),
      holder: z.string(),
      project: z.string(),
      client: z.string().nullable(),
      client_version: z.string().nullable(),
      pid: z.int(),
      started_at: z.string(),
      heartbeat_at: z.string(),
      ended_at: z.string().nullable(),
      ...holdings.shape,
    }),
  ),
  /** Claims and slots of callers without a session. */
  others: z.array(z.strictObject({ holder: z.string(), ...holdings.shape })),
  ...withNames,
});

export type SessionList = z.infer<typeof sessionList>;

type Read = Awaited<ReturnType<typeof readSessions>>;

export function showSessions({ sessions, others }: Read): SessionList {
  return {
    sessions: sessions.map(({ clientVersion, startedAt, heartbeatAt, endedAt, holdings, ...session }) => ({
      ...session,
      client_version: clientVersion,
      started_at: iso(startedAt),
      heartbeat_at: iso(heartbeatAt),
      ended_at: iso(endedAt),
      ...showHoldings(holdings),
    })),
    others: others.map(({ holder, holdings }) => ({ holder, ...showHoldings(holdings) })),
  };
}

function showHoldings({ tasks, ...held }: Read['others'][number]['holdings']) {
  return {
    ...held,
    tasks: tasks.map(({ leaseExpiresAt, ...task }) => ({ ...task, lease_expires_at: iso(leaseExpiresAt) })),
  };
}
