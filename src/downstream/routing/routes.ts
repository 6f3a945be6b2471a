import type { Clock } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Actor } from '../../core/actor.js';
import { recordEvent } from '../../core/events/events.js';
import type { Database } from '../../store/sql.js';

/** A stored rule for one tool, named as its callers name it. */
export interface Route {
  tool: string;
  /** `native`, or a server. */
  prefer: string | undefined;
  /** Servers, or `server.tool` where the tool has another name there. */
  backups: string[];
  cacheSeconds: number | undefined;
  retrySafe: boolean | undefined;
}

export type RouteChange = { [Field in keyof Omit<Route, 'tool'>]?: Route[Field] | undefined } & {
  /** Forget the rule that there was first. */
  isAnew?: boolean | undefined;
};

export type Routes = ReturnType<typeof createRoutes>;

/** How long it may take until another session's rule is noticed. */
const freshMs = 500;

interface RouteRow {
  tool: string;
  prefer: string | null;
  backups: string;
  cache_seconds: number | null;
  retry_safe: number | null;
}

export function createRoutes({ db, clock }: { db: Database; clock: Clock }) {
  let known: Promise<Map<string, Route>> | undefined;
  let lookedAt = 0;

  async function read(): Promise<Map<string, Route>> {
    const rows = await db.all<RouteRow>('select * from tool_routes');
    return new Map(rows.map((row) => [row.tool, toRoute(row)]));
  }

  return {
    all(): Promise<Map<string, Route>> {
      if (!known || performance.now() - lookedAt > freshMs) {
        lookedAt = performance.now();
        known = read();
        known.catch(() => {
          known = undefined;
        });
      }
      return known;
    },

    /** Changes what is given and leaves the rest; resolves to the rule as it stands then. */
    async set(tool: string, { isAnew, ...change }: RouteChange, actor: Actor): Promise<Route> {
      const now = clock.now();
      const route = await db.transaction(async (sql) => {
        const row = await sql.get<RouteRow>('select * from tool_routes where tool = ?', tool);
        const before = row && !isAnew ? toRoute(row) : emptyRoute(tool);
        const after: Route = {
          tool,
          prefer: change.prefer ?? before.prefer,
          backups: change.backups ?? before.backups,
          cacheSeconds: change.cacheSeconds ?? before.cacheSeconds,
          retrySafe: change.retrySafe ?? before.retrySafe,
        };
        await sql.run(
          `insert into tool_routes (tool, prefer, backups, cache_seconds, retry_safe, updated_at) values (?, ?, ?, ?, ?, ?)
           on conflict (tool) do update set prefer = excluded.prefer, backups = excluded.backups,
             cache_seconds = excluded.cache_seconds, retry_safe = excluded.retry_safe, updated_at = excluded.updated_at`,
          tool,
          after.prefer ?? null,
          JSON.stringify(after.backups),
          after.cacheSeconds ?? null,
          after.retrySafe === undefined ? null : Number(after.retrySafe),
          now,
        );
        await recordEvent(sql, {
          at: now,
          actor,
          subject: 'tool',
          subjectId: tool,
          type: 'routed',
          data: describeRoute(after),
        });
        return after;
      });
      known = undefined;
      return route;
    },
  };
}

/** What a rule says, without what it leaves open. */
export function describeRoute({ prefer, backups, cacheSeconds, retrySafe }: Route): JsonObject {
  return {
    ...(prefer !== undefined && { prefer }),
    ...(backups.length > 0 && { backups }),
    ...(cacheSeconds !== undefined && { cache_seconds: cacheSeconds }),
    ...(retrySafe !== undefined && { retry_safe: retrySafe }),
  };
}

export const emptyRoute = (tool: string): Route => ({
  tool,
  prefer: undefined,
  backups: [],
  cacheSeconds: undefined,
  retrySafe: undefined,
});

function toRoute(row: RouteRow): Route {
  return {
    tool: row.tool,
    prefer: row.prefer ?? undefined,
    backups: readJson<string[]>(row.backups),
    cacheSeconds: row.cache_seconds ?? undefined,
    retrySafe: row.retry_safe === null ? undefined : row.retry_safe === 1,
  };
}
