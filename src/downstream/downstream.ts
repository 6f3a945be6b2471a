import { isDeepStrictEqual } from 'node:util';
import type { Clock, EpochMs } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';
import type { JsonObject } from '../base/json.js';
import type { Log } from '../base/log.js';
import type { Redact } from '../base/redact.js';
import { type ConfiguredServers, isShared, type ServerSettings } from '../base/server-settings.js';
import type { Actor } from '../core/actor.js';
import type { Breakers } from '../core/breakers/breakers.js';
import { recordEvent } from '../core/events/events.js';
import type { Database, Statement } from '../store/sql.js';
import { Catalogs, type ChangedList } from './catalogs.js';
import { ConfigWatch } from './config-watch.js';
import { lookAtKeeper } from './connection/keeper-transport.js';
import type { KeeperAccess } from './connection/keeper-wire.js';
import { type Exposure, exposeTools } from './exposed-tools.js';
import type { NativeTool } from './native/define-native-tool.js';
import { BreakerGate } from './pool/breaker-gate.js';
import type { RestartRule } from './pool/instance.js';
import { Pool } from './pool/pool.js';
import { ServerStore } from './pool/server-store.js';
import type { ServerProcesses } from './processes.js';
import { CallCache } from './routing/cache.js';
import { CallMetrics, type CallStats } from './routing/call-metrics.js';
import { Caller, type CallOutcome, type CallRequest } from './routing/caller.js';
import { requireSource } from './routing/require-source.js';
import { notUsed } from './routing/resolve.js';
import { type Route, type RouteChange, Routes } from './routing/routes.js';
import { ServerLauncher } from './server-launcher.js';
import {
  listTools,
  type ServerView,
  type SickServer,
  saidBy,
  sickServers,
  type ToolFilter,
  type ToolListing,
  viewServers,
} from './views.js';
import { wantedLogin } from './wanted-login.js';

export interface DownstreamNeeds {
  config: Config;
  db: Database;
  clock: Clock;
  log: Log;
  redact: Redact;
  breakers: Breakers;
  processes: ServerProcesses;
  keeper: KeeperAccess;
  natives: readonly NativeTool[];
  /** Reads the servers of the config file anew. Throws if the file is not as it should be. */
  readServers(): ConfiguredServers;
  runNative(tool: NativeTool, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  random?: () => number;
  restart?: RestartRule;
}

/** The tools of other MCP servers and the built-in ones, called so that one source answers as long as any can. */
export interface Downstream {
  /** See `Caller.call`. */
  call(request: CallRequest): Promise<CallOutcome>;
  /** The tools that the config file puts among our own, from the lists known. Servers never listed start meanwhile. */
  exposed(): Promise<Exposure>;
  /** Calls back whenever `exposed` may have changed in this process. Returns the function that ends it. */
  onToolsChanged(listener: () => void): () => void;
  /** Resources and prompts of the servers whose entries show them. */
  catalogs(): Promise<Catalogs>;
  /** Calls back whenever a list of `catalogs` may have changed. Returns the function that ends it. */
  onCatalogChanged(listener: (list: ChangedList) => void): () => void;
  /** All tools that can be called; starts servers that were never listed, and names those that did not come up. */
  tools(filter: ToolFilter): Promise<ToolListing>;
  servers(): Promise<ServerView[]>;
  /** The servers that this session has tried and that are not fully up, and those that need a login. */
  sick(): SickServer[];
  /** Sets how many instances every session keeps of a server. Throws `not_found`. */
  scale(server: string, instances: number, actor: Actor): Promise<void>;
  /** Changes the rule for a tool. Throws `not_found` if it names an unknown server. */
  route(tool: string, change: RouteChange, actor: Actor): Promise<Route>;
  /** The stored rules of all tools. */
  routes(): Promise<Route[]>;
  stats(filter: { tool?: string | undefined; sinceMs: number }): Promise<CallStats[]>;
  /** Takes a server's tools as they are now; resolves to the names of those that had changed. Throws `not_found`. */
  accept(server: string, actor: Actor): Promise<string[]>;
  /**
   * Starts a server, one instance of it if it `isTrial`, and lists its tools; resolves to their number. Throws CallFailure.
   */
  check(server: string, timeoutMs: number, options?: { isTrial?: boolean }): Promise<number>;
  /** Ends a server's instances, so that others have their places; the next call starts them again. */
  stop(server: string): Promise<void>;
  /** Ends what killed sessions have left and what has long been idle; applies the scales that other sessions have set. */
  sweep(): Promise<void>;
  /** The writes that are due when this process ends. */
  ending(): Statement[];
  /** Ends every server at once. Synchronous, so that it can be the last thing a process does. */
  close(): void;
}

/** Counts and cached answers are written so long after the first of them. */
const flushMs = 1_000;

export function createDownstream(needs: DownstreamNeeds): Downstream {
  return new PooledDownstream(needs);
}

class PooledDownstream implements Downstream {
  readonly #needs: DownstreamNeeds;
  readonly #launcher: ServerLauncher;
  readonly #gate: BreakerGate;
  readonly #store: ServerStore;
  readonly #routes: Routes;
  readonly #cache: CallCache;
  readonly #metrics: CallMetrics;
  readonly #configured: ConfigWatch;
  /** In the order of the config file. */
  readonly #pools = new Map<string, Pool>();
  readonly #caller: Caller;
  readonly #listeners = new Set<() => void>();
  readonly #catalogs: Catalogs;
  #flushing: NodeJS.Timeout | undefined;
  /** Set once the scales of the database have been applied, or are being applied. */
  #scaled: Promise<void> | undefined;
  #isClosed = false;

  constructor(needs: DownstreamNeeds) {
    const { config, db, clock, breakers, natives, runNative } = needs;
    this.#needs = needs;
    const { configPath, servers } = config;
    this.#configured = new ConfigWatch({ configPath, clock, servers, read: () => needs.readServers() });
    this.#launcher = new ServerLauncher(needs);
    this.#gate = new BreakerGate({ db, clock, breakers, holder: `session:${newShortId()}` });
    this.#store = new ServerStore({ db, clock });
    this.#catalogs = new Catalogs({ pools: () => this.#pools.values(), store: this.#store, log: needs.log });
    this.#routes = new Routes({ db, clock });
    this.#cache = new CallCache({ db, clock });
    this.#metrics = new CallMetrics({ db, clock });
    this.#buildPools();
    this.#caller = new Caller({
      pools: this.#pools,
      whyUnused: (server) => this.#configured.whyUnused(server),
      said: (pool) => saidBy(pool, needs.redact),
      natives,
      preferences: config.toolPreferences,
      routes: this.#routes,
      cache: this.#cache,
      metrics: this.#metrics,
      gate: this.#gate,
      runNative,
    });
  }

  async call(request: CallRequest): Promise<CallOutcome> {
    await this.#refresh();
    try {
      const outcome = await this.#caller.call(request);
      return (await this.#isChanged(outcome)) ? { ...outcome, isChanged: true } : outcome;
    } finally {
      if (this.#metrics.hasUnwritten() || this.#cache.hasUnwritten()) this.#flushSoon();
    }
  }

  async exposed(): Promise<Exposure> {
    await this.#refresh();
    return exposeTools([...this.#pools.values()]);
  }

  onToolsChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async catalogs(): Promise<Catalogs> {
    await this.#refresh();
    return this.#catalogs;
  }

  onCatalogChanged(listener: (list: ChangedList) => void): () => void {
    return this.#catalogs.onChanged(listener);
  }

  async tools(filter: ToolFilter): Promise<ToolListing> {
    await this.#refresh();
    const { natives, redact } = this.#needs;
    return listTools(filter, { pools: this.#pools, natives, redact });
  }

  async servers(): Promise<ServerView[]> {
    await this.#refresh();
    const { db, redact, keeper } = this.#needs;
    const { used, unused } = this.#configured.servers;
    const exposure = await exposeTools([...this.#pools.values()], { isStarting: false });
    const kept = Object.values(used).some(isShared) ? await lookAtKeeper(keeper.socket) : undefined;
    return viewServers({
      pools: this.#pools,
      unused,
      exposure,
      db,
      metrics: this.#metrics,
      redact,
      wantedLogin: this.#wantedLogin,
      keeperPid: kept?.pid,
    });
  }

  sick(): SickServer[] {
    const { redact } = this.#needs;
    const wantedLogin = this.#wantedLogin;
    const wrong = this.#configured.problems.map((each) => ({ ...each, said: undefined }));
    return [...wrong, ...sickServers({ pools: this.#pools, redact, wantedLogin })];
  }

  async scale(server: string, instances: number, actor: Actor): Promise<void> {
    await this.#refresh();
    const pool = this.#poolOf(server);
    await this.#store.setInstances(server, instances, actor);
    pool.resize(instances);
  }

  async routes(): Promise<Route[]> {
    return [...(await this.#routes.all()).values()];
  }

  async route(tool: string, change: RouteChange, actor: Actor): Promise<Route> {
    await this.#refresh();
    const { prefer, backups = [] } = change;
    const needs = { pools: this.#pools, natives: this.#needs.natives, poolOf: (name: string) => this.#poolOf(name) };
    for (const name of [...(prefer === undefined ? [] : [prefer]), ...backups]) await requireSource(name, tool, needs);
    return this.#routes.set(tool, change, actor);
  }

  stats(filter: { tool?: string | undefined; sinceMs: number }): Promise<CallStats[]> {
    return this.#metrics.stats(filter);
  }

  async accept(server: string, actor: Actor): Promise<string[]> {
    return this.#store.acceptTools(this.#poolOf(server).server, actor);
  }

  async check(server: string, timeoutMs: number, { isTrial = false } = {}): Promise<number> {
    await this.#refresh();
    const pool = this.#poolOf(server);
    if (isTrial) pool.resize(1);
    return (await pool.tools({ isFresh: true, timeoutMs, isPatient: true })).tools.length;
  }

  async stop(server: string): Promise<void> {
    await this.#pools.get(server)?.stop();
  }

  /** A property, because it is handed over as a callback. */
  readonly sweep = async (): Promise<void> => {
    const { processes, log } = this.#needs;
    const ended = await processes.sweep();
    if (ended > 0) log.info('ended tool servers that a lost session had left', { processes: ended });
    if (this.#configured.refresh()) this.#buildPools();
    if (this.#pools.size === 0) return;
    await this.#applyScales();
    for (const pool of this.#pools.values()) await pool.stopIfIdle();
  };

  ending(): Statement[] {
    return [...this.#metrics.statements(), ...this.#cache.statements()];
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#flushing);
    // First, so that a pool that loses its servers starts and records nothing more.
    this.#launcher.close();
    for (const pool of this.#pools.values()) pool.kill();
  }

  async #isChanged({ tool, source }: CallOutcome): Promise<boolean> {
    if (source === 'native') return false;
    const dot = tool.indexOf('.');
    return (await this.#pools.get(tool.slice(0, dot))?.changedTools())?.has(tool.slice(dot + 1)) ?? false;
  }

  /** Before anything that depends on the servers of the config file, or on the scales that other sessions have set. */
  async #refresh(): Promise<void> {
    if (this.#configured.refresh()) this.#buildPools();
    await this.#scaleOnce();
  }

  /** Makes the pools those of the config file. One whose settings are the same goes on; others finish their calls. */
  #buildPools(): void {
    const before = new Map(this.#pools);
    this.#pools.clear();
    for (const [server, settings] of Object.entries(this.#configured.servers.used)) {
      const known = before.get(server);
      const isSame = known && isDeepStrictEqual(known.settings, settings);
      this.#pools.set(server, isSame ? known : this.#createPool(server, settings));
      if (isSame) before.delete(server);
    }
    for (const pool of before.values()) pool.resize(0);
    this.#scaled = undefined;
    this.#tellListeners();
    this.#catalogs.poolsChanged();
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  readonly #wantedLogin = ({ server, settings }: Pool) => wantedLogin(server, settings, this.#needs.config);

  #createPool(server: string, settings: ServerSettings): Pool {
    const { clock, log, random = Math.random, restart } = this.#needs;
    return new Pool({
      server,
      settings,
      size: settings.instances ?? 1,
      store: this.#store,
      gate: this.#gate,
      log,
      tick: clock.tick,
      random,
      ...(restart && { restart }),
      open: (instance, hooks) => this.#launcher.open({ server, instance, settings }, hooks),
      onGivenUp: (instance, why) => void this.#recordGivenUp(instance, why, clock.now()),
      onListed: () => this.#tellListeners(),
      onListChanged: this.#catalogs.tell,
    });
  }

  async #recordGivenUp(instance: string, why: string, at: EpochMs): Promise<void> {
    const { db, log } = this.#needs;
    try {
      const event = { at, subject: 'server', subjectId: instance, type: 'given_up', data: { why } } as const;
      await db.transaction((sql) => recordEvent(sql, event));
    } catch (error) {
      log.warn('an event could not be written', { error });
    }
  }

  /** Before the first call: scales that were set before this session began count from then on. */
  #scaleOnce(): Promise<void> {
    this.#scaled ??= this.#applyScales().catch((error: unknown) => {
      // The next call tries again.
      this.#scaled = undefined;
      throw error;
    });
    return this.#scaled;
  }

  async #applyScales(): Promise<void> {
    for (const [server, pool] of this.#pools) {
      const wanted = (await this.#store.instances(server)) ?? pool.settings.instances ?? 1;
      if (wanted !== pool.size) pool.resize(wanted);
    }
  }

  /** One flush for all calls of the next second. */
  #flushSoon(): void {
    if (this.#flushing || this.#isClosed) return;
    this.#flushing = setTimeout(() => {
      this.#flushing = undefined;
      this.#flush().catch((error: unknown) => this.#needs.log.warn('calls could not be counted', { error }));
    }, flushMs);
    this.#flushing.unref();
  }

  async #flush(): Promise<void> {
    await this.#metrics.flush();
    await this.#cache.flush();
  }

  #poolOf(server: string): Pool {
    const pool = this.#pools.get(server);
    if (pool) return pool;
    const why = this.#configured.whyUnused(server);
    if (why !== undefined) throw notUsed(server, why);
    const names = [...this.#pools.keys()].join(', ');
    throw new RuntimeError(
      'not_found',
      `The config file has no server ${JSON.stringify(server)}.`,
      names === '' ? `It has none: add mcpServers to ${this.#needs.config.configPath}.` : `Its servers are: ${names}.`,
    );
  }
}
