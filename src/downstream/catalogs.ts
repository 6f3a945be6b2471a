import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../base/json.js';
import type { Log } from '../base/log.js';
import { timeoutSignal } from '../base/timeout-signal.js';
import { CallFailure } from './connection/call-failure.js';
import type { CallOptions, Connection, ListKind } from './connection/connection.js';
import type { Pool } from './pool/pool.js';
import type { ServerStore } from './pool/server-store.js';
import { isWorthRetry } from './routing/ask-in-turn.js';

/** What one server lists. */
export interface Catalog {
  server: string;
  items: readonly JsonObject[];
}

export type ChangedList = 'resources' | 'prompts';

export interface CatalogsNeeds {
  /** Of the servers that are used now. */
  pools(): Iterable<Pool>;
  /** Has the last list of each server and kind, for the time when it does not answer. */
  store: Pick<ServerStore, 'list' | 'saveList'>;
  log: Log;
}

/** A list does not wait longer for a server that is slow to start. It is in the next one, of which listeners are told. */
const listMs = 5_000;
const startMs = 60_000;
const usualMs = 30_000;
const longestMs = 45_000;

/** The resources and prompts of the servers that show them, read on whichever instance answers. */
export class Catalogs {
  readonly #needs: CatalogsNeeds;
  readonly #listeners = new Set<(list: ChangedList) => void>();
  readonly #fetching = new Map<string, Promise<readonly JsonObject[]>>();

  readonly #shown: Record<ChangedList, string> = { resources: '', prompts: '' };

  constructor(needs: CatalogsNeeds) {
    this.#needs = needs;
  }

  /** The servers that show their resources, or their prompts. */
  showing(list: ChangedList): string[] {
    return [...this.#needs.pools()].filter(({ settings }) => settings[list] === true).map(({ server }) => server);
  }

  shows(server: string, list: ChangedList): boolean {
    return this.showing(list).includes(server);
  }

  /** Each server that shows them, side by side. One that does not answer has its last list, or is left out. */
  async list(kind: ListKind): Promise<Catalog[]> {
    const shown = [...this.#needs.pools()].filter(({ settings }) => settings[settingOf(kind)] === true);
    const found = await Promise.all(
      shown.map(async (pool) => ({ server: pool.server, items: await this.#listOne(pool, kind) })),
    );
    return found.flatMap(({ server, items }) => (items ? [{ server, items }] : []));
  }

  /**
   * Sends a request that only reads, on another instance if one fails. Undefined if no server of that name shows such
   * things. Throws CallFailure.
   */
  async ask(
    server: string,
    list: ChangedList,
    { method, params, signal }: { method: string; params: JsonObject; signal: AbortSignal },
  ): Promise<JsonObject | undefined> {
    const pool = [...this.#needs.pools()].find((each) => each.server === server);
    if (pool?.settings[list] !== true) return undefined;
    return askAny(pool, signal, (connection, options) => connection.ask(method, params, options));
  }

  /** The config file names other servers, or shows other things of them. */
  poolsChanged(): void {
    for (const list of ['resources', 'prompts'] as const) {
      const showing = this.showing(list).join(' ');
      if (showing !== this.#shown[list]) this.tell(list);
      this.#shown[list] = showing;
    }
  }

  onChanged(listener: (list: ChangedList) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A property, because it is handed over as a callback. */
  readonly tell = (list: ChangedList): void => {
    for (const listener of this.#listeners) listener(list);
  };

  async #listOne(pool: Pool, kind: ListKind): Promise<readonly JsonObject[] | undefined> {
    const key = `${pool.server} ${kind}`;
    const { store } = this.#needs;
    const fetching = this.#fetch(pool, kind, key).catch(() => store.list(pool.server, kind));
    const timer = new AbortController();
    const late = sleep(listMs, 'late' as const, { signal: timer.signal, ref: false }).catch(() => 'late' as const);
    const first = await Promise.race([fetching, late]);
    timer.abort();
    if (first !== 'late') return first;
    const before = await store.list(pool.server, kind);
    void fetching
      .then((items) => {
        if (JSON.stringify(items) !== JSON.stringify(before)) this.tell(settingOf(kind));
      })
      // The database is not to be had, which the next list says.
      .catch(() => {});
    return before;
  }

  #fetch(pool: Pool, kind: ListKind, key: string): Promise<readonly JsonObject[]> {
    const underWay = this.#fetching.get(key);
    if (underWay) return underWay;
    const fetch = async () => {
      await pool.tools({ isFresh: !pool.isUp(), timeoutMs: startMs, isPatient: true });
      const items = await askAny(pool, timeoutSignal(longestMs), (connection, options) =>
        connection.list(kind, options),
      );
      await this.#needs.store.saveList(pool.server, kind, items).catch((error: unknown) => {
        this.#needs.log.warn('the list of a tool server could not be kept', { server: pool.server, error });
      });
      return items;
    };
    const fetching = fetch().finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }
}

const settingOf = (kind: ListKind): ChangedList => (kind === 'prompts' ? 'prompts' : 'resources');

/** Reading twice does no harm, so it goes on to the next instance, or to the same one started again. */
async function askAny<Answer>(
  pool: Pool,
  signal: AbortSignal,
  send: (connection: Connection, options: CallOptions) => Promise<Answer>,
): Promise<Answer> {
  const deadline = performance.now() + longestMs;
  const avoid = new Set<Connection>();
  for (let tries = 1; ; tries++) {
    const left = Math.max(1, Math.round(deadline - performance.now()));
    const timeoutMs = Math.min(pool.settings.timeout ?? usualMs, left);
    try {
      return await pool.ask({ avoid, signal, timeoutMs, onChosen: (_, connection) => avoid.add(connection) }, send);
    } catch (error) {
      const isOver = performance.now() >= deadline || !pool.canTry(avoid);
      if (!(error instanceof CallFailure) || isOver || !isWorthRetry(error.kind, tries)) throw error;
      // A web server may close kept-alive connections at any time: the next request opens a new one.
      if (error.kind === 'lost') for (const used of avoid) if (used.isOpen()) avoid.delete(used);
    }
  }
}
