import type { Clock } from '../../base/clock.js';
import type { Actor } from '../../core/actor.js';
import { recordEvent } from '../../core/events/events.js';
import type { Database } from '../../store/sql.js';

/** How many instances each session keeps of a server, where somebody has said so. */
export function createScales({ db, clock }: { db: Database; clock: Clock }) {
  return {
    async get(server: string): Promise<number | undefined> {
      const row = await db.get<{ instances: number }>(
        'select instances from tool_server_scales where server = ?',
        server,
      );
      return row?.instances;
    },

    set: (server: string, instances: number, actor: Actor): Promise<void> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        await sql.run(
          `insert into tool_server_scales (server, instances, updated_at) values (?, ?, ?)
           on conflict (server) do update set instances = excluded.instances, updated_at = excluded.updated_at`,
          server,
          instances,
          at,
        );
        await recordEvent(sql, {
          at,
          actor,
          subject: 'server',
          subjectId: server,
          type: 'scaled',
          data: { instances },
        });
      }),
  };
}
