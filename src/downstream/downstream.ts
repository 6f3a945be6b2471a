import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';
import type { JsonObject } from '../base/json.js';
import type { Log } from '../base/log.js';
import type { Redact } from '../base/redact.js';
import type { Actor } from '../core/actor.js';
import type { Breakers } from '../core/breakers/breakers.js';
import { recordEvent } from '../core/events/events.js';
import type { Database, Statement } from '../store/sql.js';
import { CallFailure } from './connection/call-failure.js';
import type { Connection } from './connection/connection.js';
import { prepareLaunch } from './connection/launch.js';
import { createWatchdog } from './connection/watchdog.js';
import type { NativeTool } from './native/define-native-tool.js';
import { createGate } from './pool/gate.js';
import type { RestartRule } from './pool/instance.js';
import { createPool, type Pool } from './pool/pool.js';
import { createScales } from './pool/scales.js';
import { createToolLists } from './pool/tool-lists.js';
import type { ServerProcesses } from './processes.js';
import { createAttempts } from './routing/attempt.js';
import { createCallCache } from './routing/cache.js';
import { type CallOutcome, type CallRequest, createCaller } from './routing/call.js';
import { type CallStats, createCallLog } from './routing/call-log.js';
import { createRoutes, type Route, type RouteChange } from './routing/routes.js';
import { type ListedTool, listTools, type ToolFilter } from './views/list-tools.js';
import { type ServerView, type SickServer, sickServers, viewServers } from './views/servers.js';

export interface DownstreamNeeds {
  config: Config;
  db: Database;
  clock: Clock;
  log: Log;
  redact: Redact;
  breakers: Breakers;
  processes: ServerProcesses;
  natives: readonly NativeTool[];
  runNative(tool: NativeTool, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  random?: () => number;
  restart?: RestartRule;
}

/** Tools of other MCP servers, and this program's own, called so that somebody answers as long as anybody can. */
export interface Downstream {
  call(request: CallRequest): Promise<CallOutcome>;
  tools(filter: ToolFilter): Promise<ListedTool[]>;
  servers(): Promise<ServerView[]>;
  /** Those of this session that are not as they should be. */
  sick(): SickServer[];
  /** How many instances every session keeps of a server, from now on. */
  scale(server: string, instances: number, actor: Actor): Promise<void>;
  route(tool: string, change: RouteChange, actor: Actor): Promise<Route>;
  stats(filter: { tool?: string | undefined; sinceMs: number }): Promise<CallStats[]>;
  /** Starts a server and asks for its tools; resolves to their number. Throws CallFailure. */
  check(server: string, timeoutMs: number): Promise<number>;
  /** Ends what killed sessions have left, and what has been idle for long; follows what other sessions have set. */
  sweep(): Promise<void>;
  /** What is still to be written when this process ends. */
  ending(): Statement[];
  /** Ends every server at once; synchronous, so that it can be the last thing a process does. */
  close(): void;
}

/** The first start of a server may have to download it. */
const startMs = 60_000;
const flushMs = 1_000;
/** Processes that one session may have at once, over all servers. */
const mostProcesses = 20;

export function createDownstream(needs: DownstreamNeeds): Downstream {
  const { config, db, clock, log, redact, breakers, processes, natives } = needs;
  const watchdog = createWatchdog();
  const gate = createGate({ db, clock, breakers, holder: `session:${newShortId()}` });
  const lists = createToolLists({ db, clock });
  const routes = createRoutes({ db, clock });
  const scales = createScales({ db, clock });
  const cache = createCallCache({ db, clock });
  const calls = createCallLog({ db, clock });
  const pools = new Map<string, Pool>();
  let running = 0;
  let flushing: NodeJS.Timeout | undefined;
  let isClosed = false;

  for (const [server, settings] of Object.entries(config.mcpServers)) {
    const pool = createPool({
      server,
      settings,
      size: settings.instances ?? 1,
      lists,
      gate,
      log,
      now: clock.now,
      random: needs.random ?? Math.random,
      ...(needs.restart && { restart: needs.restart }),
      open: (instance, hooks) => open(server, instance, hooks),
      onGivenUp: (instance, why) => void tellGivenUp(instance, why),
    });
    pools.set(server, pool);
  }

  async function open(
    server: string,
    instance: string,
    hooks: { onClosed(): void; onToolsChanged(): void },
  ): Promise<Connection> {
    const settings = config.mcpServers[server];
    if (!settings || isClosed) throw new CallFailure('not_started', 'this session has ended');
    if (running >= mostProcesses) {
      throw new CallFailure('not_started', `this session has ${mostProcesses} tool servers already`);
    }
    running++;
    const id = newShortId();
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      running--;
      // A session that ends leaves the row to the next sweep: the process may outlive it by a moment.
      if (!isClosed) void processes.ended(id).catch(() => {});
    };
    try {
      const launch = prepareLaunch(settings, config, id);
      if (launch.kind === 'stdio') await processes.announce(id, server);
      const { openConnection } = await import('./connection/connection.js');
      return await openConnection({
        launch,
        watchdog,
        timeoutMs: startMs,
        onToolsChanged: hooks.onToolsChanged,
        onStarted: (pid) => void processes.started(id, pid).catch(() => {}),
        onClosed() {
          over();
          hooks.onClosed();
        },
      });
    } catch (error) {
      over();
      const detail = error instanceof CallFailure ? error.detail : undefined;
      log.warn('a tool server did not start', { instance, error, said: detail && redact(detail) });
      throw error;
    }
  }

  async function tellGivenUp(instance: string, why: string): Promise<void> {
    try {
      await db.transaction((sql) =>
        recordEvent(sql, { at: clock.now(), subject: 'server', subjectId: instance, type: 'given_up', data: { why } }),
      );
    } catch (error) {
      log.warn('an event could not be written', { error });
    }
  }

  /** Soon, once for all that comes until then. */
  function flushSoon(): void {
    if (flushing || isClosed) return;
    flushing = setTimeout(() => {
      flushing = undefined;
      flush().catch((error: unknown) => log.warn('calls could not be counted', { error }));
    }, flushMs);
    flushing.unref();
  }

  async function flush(): Promise<void> {
    await calls.flush();
    await cache.flush();
  }

  async function followScales(): Promise<void> {
    for (const [server, pool] of pools) {
      const wanted = (await scales.get(server)) ?? pool.settings.instances ?? 1;
      if (wanted !== pool.size()) pool.resize(wanted);
    }
  }

  /** What others have set before this session began counts from its first call on. */
  let isFollowing: Promise<void> | undefined;
  const follow = () => {
    isFollowing ??= followScales();
    return isFollowing;
  };

  const tryCandidate = createAttempts({ gate, calls, runNative: needs.runNative });
  const callTool = createCaller({
    pools,
    natives,
    preferences: config.toolPreferences,
    routes,
    cache,
    calls,
    tryCandidate,
  });

  function poolOf(server: string): Pool {
    const pool = pools.get(server);
    if (pool) return pool;
    const names = [...pools.keys()].join(', ');
    throw new RuntimeError(
      'not_found',
      `The config file names no server ${JSON.stringify(server)}.`,
      names === '' ? `None is there: add mcpServers to ${config.configPath}.` : `It names: ${names}.`,
    );
  }

  return {
    async call(request) {
      await follow();
      try {
        return await callTool(request);
      } finally {
        if (calls.isDue() || cache.isDue()) flushSoon();
      }
    },

    tools: (filter) => listTools(filter, { pools, natives }),
    servers: async () => {
      await follow();
      await calls.flush();
      return viewServers({ pools, db, clock, calls });
    },
    sick: () => sickServers(pools),

    async scale(server, instances, actor) {
      const pool = poolOf(server);
      await scales.set(server, instances, actor);
      pool.resize(instances);
    },

    async route(tool, change, actor) {
      const { prefer, backups = [] } = change;
      const named = [...(prefer === undefined || prefer === 'native' ? [] : [prefer]), ...backups];
      for (const name of named) poolOf(name.split('.')[0] ?? name);
      return routes.set(tool, change, actor);
    },

    stats: (filter) => calls.stats(filter),

    async check(server, timeoutMs) {
      const pool = poolOf(server);
      await follow();
      return (await pool.tools({ isFresh: true, timeoutMs })).tools.length;
    },

    async sweep() {
      const ended = await processes.sweep();
      if (ended > 0) log.info('ended tool servers that a lost session had left', { processes: ended });
      if (pools.size === 0) return;
      await followScales();
      for (const pool of pools.values()) await pool.stopIfIdle();
    },

    ending: () => [...calls.ending(), ...cache.ending()],

    close() {
      isClosed = true;
      clearTimeout(flushing);
      for (const pool of pools.values()) pool.kill();
      watchdog.close();
    },
  };
}
