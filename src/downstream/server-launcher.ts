import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { newShortId } from '../base/ids.js';
import type { Log } from '../base/log.js';
import type { Redact } from '../base/redact.js';
import { isShared, type ServerSettings } from '../base/server-settings.js';
import { CallFailure } from './connection/call-failure.js';
import type { Connection } from './connection/connection.js';
import type { KeeperAccess } from './connection/keeper-wire.js';
import { lastWords } from './connection/last-words.js';
import { prepareLaunch, prepareStdio, type SharedLaunch, shareKey } from './connection/launch.js';
import { createWatchdog } from './connection/watchdog.js';
import type { PoolNeeds } from './pool/pool.js';
import type { ServerProcesses } from './processes.js';

export interface ServerLauncherNeeds {
  config: Config;
  clock: Clock;
  log: Log;
  redact: Redact;
  processes: ServerProcesses;
  /** Without it, shared servers have processes of this session's own too. */
  keeper?: KeeperAccess;
}

export interface LaunchRequest {
  server: string;
  /** `github#2`. */
  instance: string;
  settings: ServerSettings;
  /** How long the start may take; long enough to download it unless given. */
  timeoutMs?: number;
}

type Hooks = Parameters<PoolNeeds['open']>[1];

/** The first start of a server may have to download it. */
const startMs = 60_000;
/** Servers that one session may have at once, all pools together. */
const mostServers = 20;
const usualCheckMs = 2_000;
/** A shared process goes on for so long after the last session: commands come one after another. */
const longestLingerMs = 30_000;

/** Starts or reaches servers by the config file, and keeps their processes on record until they end. */
export class ServerLauncher {
  readonly #needs: ServerLauncherNeeds;
  readonly #watchdog = createWatchdog();
  #running = 0;
  #isClosed = false;

  constructor(needs: ServerLauncherNeeds) {
    this.#needs = needs;
  }

  /** Opens a connection for an instance of a server. Throws CallFailure `not_started`. */
  async open(request: LaunchRequest, hooks: Hooks): Promise<Connection> {
    const { log, redact } = this.#needs;
    const id = newShortId();
    const release = this.#reserve(id);
    try {
      return await this.#connect(id, request, {
        onToolsChanged: hooks.onToolsChanged,
        onListChanged: hooks.onListChanged,
        onClosed() {
          release();
          hooks.onClosed();
        },
      });
    } catch (error) {
      release();
      // A stack says nothing of a failure that is the server's.
      const why =
        error instanceof CallFailure ? { problem: error.message, said: lastWords(error.detail, redact) } : { error };
      log.warn('a tool server did not start', { instance: request.instance, ...why });
      throw error;
    }
  }

  /** Starts and records nothing more; the watchdog ends the processes that are left. Synchronous. */
  close(): void {
    this.#isClosed = true;
    this.#watchdog.close();
  }

  /** Counts a server in; the result counts it out, once. Throws if there are too many, or the session has ended. */
  #reserve(id: string): () => void {
    if (this.#isClosed) throw new CallFailure('not_started', 'this session has ended');
    if (this.#running >= mostServers) {
      throw new CallFailure('not_started', `this session has ${mostServers} tool servers already`);
    }
    this.#running++;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#running--;
      // A session that ends leaves the record to the next sweep: the process may outlive it by a moment.
      if (!this.#isClosed) void this.#needs.processes.ended(id).catch(() => {});
    };
  }

  async #connect(id: string, request: LaunchRequest, hooks: Hooks): Promise<Connection> {
    const { config, clock, processes } = this.#needs;
    const { server, settings, timeoutMs = Math.max(startMs, settings.startTimeout ?? 0) } = request;
    const launch = this.#shared(request) ?? prepareLaunch(settings, config, id);
    if (launch.kind === 'stdio') await processes.announce(id, server);
    // Loaded with the first connection: the SDK's client is large.
    const { openConnection } = await import('./connection/connection.js');
    return openConnection({
      server,
      launch,
      dataDir: config.dataDir,
      now: clock.now,
      watchdog: this.#watchdog,
      timeoutMs,
      onStarted: (pid) => void processes.started(id, pid).catch(() => {}),
      ...hooks,
    });
  }

  /** Undefined for a server of which each session has processes of its own. */
  #shared({ server, instance, settings }: LaunchRequest): SharedLaunch | undefined {
    const { config, keeper } = this.#needs;
    if (!keeper || !isShared(settings)) return undefined;
    const launch = prepareStdio(settings, config, '');
    const { command, args, env, cwd } = launch;
    const { timeout: checkMs = usualCheckMs } = settings.health || {};
    const opening = {
      key: shareKey(instance, launch, settings),
      server,
      instance,
      launch: { command, args: [...args], env: { ...env }, ...(cwd !== undefined && { cwd }) },
      checkMs,
      lingerMs: Math.min(settings.idle ?? longestLingerMs, longestLingerMs),
    };
    return { kind: 'shared', keeper, opening };
  }
}
