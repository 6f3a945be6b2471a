import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import { type ServerSettings, usualStartMs } from '../../base/server-settings.js';
import { CallFailure, type CallFailureKind } from '../connection/call-failure.js';
import type { CallOptions, Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { BreakerGate, Permit } from './breaker-gate.js';
import { Health, type HealthRule } from './health.js';
import { Instance, type InstanceState, type RestartRule } from './instance.js';
import { type Digests, digestsOf } from './known-tools.js';
import type { ServerStore, ToolList } from './server-store.js';
import { breakerOf, type Slot, type SlotRequest, Slots } from './slots.js';

export interface PooledRequest extends CallOptions, SlotRequest {
  /** Called before anything is sent. */
  onChosen(instance: string, connection: Connection): void;
}

export interface PooledCall extends PooledRequest {
  tool: string;
  args: JsonObject;
}

export interface ListOptions {
  /** Asks the server even if its list is known. */
  isFresh: boolean;
  timeoutMs: number;
  /** Waits the whole time for its start, and not only as long as callers of its tools do. */
  isPatient?: boolean;
}

export interface InstanceView {
  id: string;
  state: InstanceState | 'suspect';
  inFlight: number;
  restarts: number;
  /** For how long it has been coming up; 0 if it is up, or not wanted. */
  comingUpMs: number;
  /** It has been coming up for longer than callers wait for it. */
  isLate: boolean;
  pid: number | undefined;
  lastFailure: string | undefined;
  /** The server's own words at its last failure: the end of its stderr. */
  lastWords: string | undefined;
}

export interface PoolNeeds {
  server: string;
  settings: ServerSettings;
  size: number;
  /** Opens a connection for an instance. */
  open(
    instance: string,
    hooks: { onClosed(): void; onToolsChanged(): void; onListChanged(list: 'resources' | 'prompts'): void },
  ): Promise<Connection>;
  store: ServerStore;
  gate: BreakerGate;
  /** Monotonic milliseconds: a step of the wall clock neither ends a rest nor makes it longer. */
  tick(): number;
  random(): number;
  log: Log;
  onGivenUp(instance: string, why: string): void;
  /** Its list of tools is another one than before. */
  onListed(): void;
  /** It says that another of its lists has changed. */
  onListChanged(list: 'resources' | 'prompts'): void;
  restart?: RestartRule;
}

/** After this many failed calls in a row an instance is replaced. */
const failuresToReplace = 5;

const longestCallMs = 50_000;
const listTimeoutMs = 10_000;
const usualIdleMs = 10 * 60_000;

/** The instances of one server. They are started with the first call. */
export class Pool {
  readonly server: string;
  readonly settings: ServerSettings;
  readonly #needs: PoolNeeds;
  readonly #health: Health;
  readonly #slots: Slots;
  #lastUsedAt: number;
  #list: ToolList | undefined;
  #digested: { list: ToolList; digests: Digests } | undefined;
  /** Requests for the list, numbered, and the number of the request that `#list` answers. */
  #listRequests = 0;
  #listedBy = 0;

  constructor(needs: PoolNeeds) {
    const { server, settings, gate, size } = needs;
    this.server = server;
    this.settings = settings;
    this.#needs = needs;
    this.#lastUsedAt = needs.tick();
    this.#health = new Health(healthRule(settings), {
      onSick: (connection, why) => void this.#eject(connection, why),
      onLockedOut: (connection, why) => this.#slotOf(connection)?.instance.lockOut(connection, why),
    });
    const createInstance = (number: number) => this.#createInstance(number);
    const startTimeoutMs = this.#startTimeoutMs;
    this.#slots = new Slots({ gate, health: this.#health, startTimeoutMs, createInstance });
    this.#slots.resize(size);
  }

  /** Calls a tool on the instance with the fewest calls in flight. Throws CallFailure. */
  call(request: PooledCall): Promise<ToolAnswer> {
    return this.ask(request, (connection, options) => connection.call(request.tool, request.args, options));
  }

  /** Sends any request to the instance with the fewest calls in flight. Throws CallFailure. */
  async ask<Answer>(
    request: PooledRequest,
    send: (connection: Connection, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    this.#lastUsedAt = this.#needs.tick();
    const deadline = performance.now() + request.timeoutMs;
    const { slot, permit } = await this.#slots.take(request, deadline);
    const { connection } = slot.instance;
    try {
      if (!connection) throw new CallFailure('not_sent', 'the connection had ended');
      request.onChosen(slot.instance.id, connection);
      const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
      const { signal, onProgress } = request;
      const answer = await send(connection, { signal, onProgress, timeoutMs });
      await this.#answered(slot, permit);
      return answer;
    } catch (error) {
      if (connection) await this.#judge(slot, connection, permit, error);
      else await this.#needs.gate.release(permit);
      throw error;
    } finally {
      slot.inFlight--;
      this.#lastUsedAt = this.#needs.tick();
    }
  }

  /** The last list of its tools. Starts the server only if there is none, or if `isFresh`. Throws CallFailure. */
  async tools({ isFresh, timeoutMs, isPatient = false }: ListOptions): Promise<ToolList> {
    const known = await this.knownTools();
    if (known && !isFresh) return known;
    this.#lastUsedAt = this.#needs.tick();
    const wasUp = this.isUp();
    const connection = await this.#slots.first({ timeoutMs, isPatient });
    // A server that has just come up has just been asked for its list.
    return this.#list && !wasUp ? this.#list : this.#fetchList(connection);
  }

  /** The list that this or another session had last, without asking the server. */
  async knownTools(): Promise<ToolList | undefined> {
    this.#list ??= await this.#needs.store.toolList(this.server);
    return this.#list;
  }

  /** The list that any session had last: another one may have asked after this one. */
  async newestTools(): Promise<ToolList | undefined> {
    const stored = await this.#needs.store.toolList(this.server);
    if (stored && (this.#list?.listedAt ?? 0) < stored.listedAt) this.#list = stored;
    return this.#list;
  }

  /** The names of the known tools that have changed since they were first seen, and that nobody has accepted. */
  async changedTools(): Promise<ReadonlySet<string>> {
    const list = await this.knownTools();
    if (!list) return new Set();
    if (this.#digested?.list !== list) this.#digested = { list, digests: digestsOf(list.tools) };
    return this.#needs.store.changedTools(this.server, this.#digested.digests);
  }

  instances(): InstanceView[] {
    return this.#slots.all.map(({ instance, inFlight }) => {
      const { id, state, restarts, comingUpMs, connection, lastFailure, lastWords } = instance;
      const isSuspect = connection && this.#health.isSuspect(connection);
      const shown = isSuspect ? 'suspect' : state;
      const isLate = comingUpMs > this.#startTimeoutMs;
      return { id, state: shown, inFlight, restarts, comingUpMs, isLate, pid: connection?.pid, lastFailure, lastWords };
    });
  }

  /** Whether a call would find an instance that is up. */
  isUp(): boolean {
    return this.#slots.all.some(({ instance }) => instance.connection !== undefined);
  }

  /** Whether there is, or will soon be, a connection that a call has not been tried on. */
  canTry(avoid: ReadonlySet<Connection>): boolean {
    return this.#slots.all.some(({ instance: { connection, state } }) =>
      connection ? !avoid.has(connection) : state !== 'given_up',
    );
  }

  get size(): number {
    return this.#slots.all.length;
  }

  /** Changes the number of instances. Removed ones finish their calls first. */
  resize(count: number): void {
    const isRunning = this.#slots.all.some(({ instance }) => instance.state !== 'stopped');
    const removed = this.#slots.resize(count);
    if (isRunning) this.#slots.startAll();
    void Promise.all(removed.map(retire));
  }

  /** Stops all instances if none was used for the idle time of the settings. */
  async stopIfIdle(): Promise<void> {
    const isBusy = this.#slots.all.some(({ inFlight }) => inFlight > 0);
    if (isBusy || this.#needs.tick() - this.#lastUsedAt < (this.settings.idle ?? usualIdleMs)) return;
    await this.stop();
  }

  /** Ends all instances at once; the next call starts them again. */
  async stop(): Promise<void> {
    await Promise.all(this.#slots.all.map(({ instance }) => instance.stop()));
  }

  kill(): void {
    this.#health.stop();
    for (const { instance } of this.#slots.all) instance.kill();
  }

  get #startTimeoutMs(): number {
    return this.settings.startTimeout ?? usualStartMs;
  }

  #createInstance(number: number): Instance {
    const { tick, random, log, onGivenUp, restart } = this.#needs;
    const id = `${this.server}#${number}`;
    return new Instance({
      id,
      tick,
      random,
      onGivenUp: (why) => onGivenUp(id, why),
      onLost: () => log.warn('a tool server has ended', { instance: id }),
      open: (onClosed) => this.#open(id, onClosed),
      ...(restart && { restart }),
    });
  }

  /** Opens a connection and fetches its list: an instance whose tools cannot be listed has not started. */
  async #open(instance: string, onClosed: () => void): Promise<Connection> {
    let opened: Connection | undefined;
    const connection = await this.#needs.open(instance, {
      onClosed: () => {
        if (opened) this.#health.forget(opened);
        onClosed();
      },
      onToolsChanged: () => {
        if (opened) this.#fetchList(opened).catch(() => {});
      },
      onListChanged: this.#needs.onListChanged,
    });
    opened = connection;
    try {
      await this.#fetchList(connection);
    } catch (error) {
      connection.discard();
      throw error;
    }
    this.#health.watch(connection);
    return connection;
  }

  async #fetchList(connection: Connection): Promise<ToolList> {
    const request = ++this.#listRequests;
    const tools = await connection.listTools(listTimeoutMs);
    // A later request was answered before this one, and is newer.
    if (this.#list && request < this.#listedBy) return this.#list;
    this.#listedBy = request;
    const before = JSON.stringify(this.#list?.tools);
    this.#list = await this.#needs.store.saveToolList(this.server, tools);
    if (JSON.stringify(tools) !== before) this.#needs.onListed();
    return this.#list;
  }

  async #answered(slot: Slot, permit: Permit): Promise<void> {
    slot.failuresInRow = 0;
    slot.instance.answered();
    await this.#needs.gate.succeeded(breakerOf(slot), permit);
  }

  /** Draws the conclusion from a failed call about its instance. */
  async #judge(slot: Slot, connection: Connection, permit: Permit, error: unknown): Promise<void> {
    const kind: CallFailureKind = error instanceof CallFailure ? error.kind : 'malformed';
    if (kind === 'wrong_call' || kind === 'too_large') return this.#answered(slot, permit);
    if (kind === 'timeout' || kind === 'cancelled') {
      // It may be slow or hung, which a health check shows. After a whole timeout it gets no calls until it has answered.
      void this.#health.probe(connection, kind === 'timeout' ? 1 : 0);
      return this.#needs.gate.release(permit);
    }
    if (kind === 'needs_login') {
      slot.instance.lockOut(connection, messageOf(error));
      return this.#needs.gate.release(permit);
    }
    // A process that has ended is restarted, which needs no breaker. A web server's connection has no such end.
    if (!connection.isOpen() && permit.id === undefined) return;
    slot.failuresInRow++;
    if (slot.failuresInRow < failuresToReplace && permit.id === undefined) return;
    const message = `${slot.failuresInRow} calls in a row failed, the last: ${messageOf(error)}`;
    slot.failuresInRow = 0;
    const type = kind === 'malformed' ? 'invalid_output' : 'exception';
    await this.#needs.gate.failed(breakerOf(slot), permit, { type, message });
    slot.instance.replace(connection);
  }

  #slotOf(connection: Connection): Slot | undefined {
    return this.#slots.all.find(({ instance }) => instance.connection === connection);
  }

  /** Replaces an instance that does not answer, and opens its breaker. */
  async #eject(connection: Connection, why: string): Promise<void> {
    const { gate, log } = this.#needs;
    const slot = this.#slotOf(connection);
    if (!slot) return;
    log.warn('a tool server does not answer', { instance: slot.instance.id, why });
    slot.instance.replace(connection);
    try {
      await gate.failed(breakerOf(slot), { id: undefined }, { type: 'timeout', message: why });
    } catch (error) {
      log.warn('a breaker failure could not be recorded', { error });
    }
  }
}

/** Stops an instance after its calls have ended: the outcome of a call that is cut off would be unknown. */
async function retire(slot: Slot): Promise<void> {
  const giveUpAt = performance.now() + longestCallMs;
  while (slot.inFlight > 0 && performance.now() < giveUpAt) await sleep(50, undefined, { ref: false });
  await slot.instance.stop();
}

function healthRule({ health }: ServerSettings): HealthRule | undefined {
  if (health === false) return undefined;
  return { intervalMs: health?.interval ?? 30_000, timeoutMs: health?.timeout ?? 2_000 };
}
