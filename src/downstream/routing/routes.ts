import type { Clock } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Actor } from '../../core/actor.js';
import { recordEvent } from '../../core/events/events.js';
import type { Database, Sql } from '../../store/sql.js';

/** A stored rule for one tool, under the name that its callers use. */
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
  /** Starts from an empty rule instead of the stored one. */
  isReset?: boolean | undefined;
};

interface RouteRow {
  tool: string;
  prefer: string | null;
  backups: string;
  cache_seconds: number | null;
  retry_safe: number | null;
}

/** How long another session's change may go unnoticed. */
const freshMs = 500;

/** The rules that all sessions share. */
export class Routes {
  readonly #db: Database;
  readonly #clock: Clock;
  #known: Promise<ReadonlyMap<string, Route>> | undefined;
  #readAt = 0;

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** By the tool's name, at most half a second old. */
  all(): Promise<ReadonlyMap<string, Route>> {
    if (!this.#known || performance.now() - this.#readAt > freshMs) {
      this.#readAt = performance.now();
      this.#known = this.#read();
      this.#known.catch(() => {
        this.#known = undefined;
      });
    }
    return this.#known;
  }

  /** Changes the given fields and leaves the others. Resolves to the rule as it is then. */
  async set(tool: string, change: RouteChange, actor: Actor): Promise<Route> {
    const at = this.#clock.now();
    const route = await this.#db.transaction(async (sql) => {
      const row = await sql.get<RouteRow>('select * from tool_routes where tool = ?', tool);
      const changed = applyChange(row && !change.isReset ? toRoute(row) : emptyRoute(tool), change);
      await store(sql, changed, at);
      const data = describeRoute(changed);
      await recordEvent(sql, { at, actor, subject: 'tool', subjectId: tool, type: 'routed', data });
      return changed;
    });
    this.#known = undefined;
    return route;
  }

  async #read(): Promise<ReadonlyMap<string, Route>> {
    const rows = await this.#db.all<RouteRow>('select * from tool_routes');
    return new Map(rows.map((row) => [row.tool, toRoute(row)]));
  }
}

export const emptyRoute = (tool: string): Route => ({
  tool,
  prefer: undefined,
  backups: [],
  cacheSeconds: undefined,
  retrySafe: undefined,
});

function applyChange(route: Route, change: RouteChange): Route {
  return {
    tool: route.tool,
    prefer: change.prefer ?? route.prefer,
    backups: change.backups ?? route.backups,
    cacheSeconds: change.cacheSeconds ?? route.cacheSeconds,
    retrySafe: change.retrySafe ?? route.retrySafe,
  };
}

async function store(sql: Sql, { tool, prefer, backups, cacheSeconds, retrySafe }: Route, now: number): Promise<void> {
  await sql.run(
    `insert into tool_routes (tool, prefer, backups, cache_seconds, retry_safe, updated_at) values (?, ?, ?, ?, ?, ?)
     on conflict (tool) do update set prefer = excluded.prefer, backups = excluded.backups,
       cache_seconds = excluded.cache_seconds, retry_safe = excluded.retry_safe, updated_at = excluded.updated_at`,
    tool,
    prefer ?? null,
    JSON.stringify(backups),
    cacheSeconds ?? null,
    retrySafe === undefined ? null : Number(retrySafe),
    now,
  );
}

/** The fields that are set, for the event. */
function describeRoute({ prefer, backups, cacheSeconds, retrySafe }: Route): JsonObject {
  return {
    ...(prefer !== undefined && { prefer }),
    ...(backups.length > 0 && { backups }),
    ...(cacheSeconds !== undefined && { cache_seconds: cacheSeconds }),
    ...(retrySafe !== undefined && { retry_safe: retrySafe }),
  };
}

function toRoute(row: RouteRow): Route {
  return {
    tool: row.tool,
    prefer: row.prefer ?? undefined,
    backups: readJson<string[]>(row.backups),
    cacheSeconds: row.cache_seconds ?? undefined,
    retrySafe: row.retry_safe === null ? undefined : row.retry_safe === 1,
  };
}
