import type { Clock, EpochMs } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database } from '../../store/sql.js';
import type { Processes } from '../ports.js';
import { type IdentityRow, identityOf, identityRow } from '../process-identity.js';

/** A process that serves this runtime over HTTP. */
export interface HttpServerEntry {
  url: string;
  hasPage: boolean;
  isReadOnly: boolean;
  pid: number;
  startedAt: EpochMs;
}

interface HttpServerRow extends IdentityRow {
  id: string;
  url: string;
  has_page: number;
  is_read_only: number;
  started_at: EpochMs;
}

export type HttpServers = ReturnType<typeof createHttpServers>;

/** The HTTP servers of this runtime, so that other processes know their addresses. The row of a killed server is removed. */
export function createHttpServers({ db, clock, processes }: { db: Database; clock: Clock; processes: Processes }) {
  return {
    /** Resolves to the id for `remove`. */
    add: (server: Pick<HttpServerEntry, 'url' | 'hasPage' | 'isReadOnly'>): Promise<string> =>
      db.transaction(async (sql) => {
        const id = newShortId();
        await insertRow(sql, 'http_servers', {
          id,
          url: server.url,
          has_page: Number(server.hasPage),
          is_read_only: Number(server.isReadOnly),
          ...identityRow(processes.self()),
          started_at: clock.now(),
        });
        return id;
      }),

    remove: (id: string): Promise<void> =>
      db.transaction(async (sql) => {
        await sql.run('delete from http_servers where id = ?', id);
      }),

    /**
     * The servers whose process lives, newest first, without those that only another host can reach. Removes the rows of
     * dead ones.
     */
    async live(): Promise<HttpServerEntry[]> {
      const rows = await db.all<HttpServerRow>('select * from http_servers order by started_at desc, id');
      const gone = rows.filter((row) => processes.liveness(identityOf(row)) === 'dead');
      if (gone.length > 0) {
        await db.transaction(async (sql) => {
          for (const row of gone) await sql.run('delete from http_servers where id = ?', row.id);
        });
      }
      return rows
        .filter((row) => !gone.includes(row) && (row.host_id === processes.self().hostId || !isLoopback(row.url)))
        .map((row) => ({
          url: row.url,
          hasPage: row.has_page === 1,
          isReadOnly: row.is_read_only === 1,
          pid: row.pid,
          startedAt: row.started_at,
        }));
    },
  };
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname);
}
