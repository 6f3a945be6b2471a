import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { ServerSettings } from '../../base/server-settings.js';
import type { FailureType } from '../../core/breakers/machine.js';
import { CallFailure, type CallFailureKind } from '../connection/call-failure.js';
import type { CallOptions, Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { Gate, Leave } from './gate.js';
import { createHealth, type HealthRule } from './health.js';
import { createInstance, type Instance, type InstanceState, type RestartRule } from './instance.js';
import type { ToolList, ToolLists } from './tool-lists.js';

export interface PooledCall extends CallOptions {
  tool: string;
  args: JsonObject;
  /** Connections not to be used: those that this call has been tried on. */
  avoid: ReadonlySet<Connection>;
  /** Told before anything is sent. */
  onChosen(instance: string, connection: Connection | undefined): void;
}

export interface InstanceView {
  id: string;
  state: InstanceState | 'suspect';
  inFlight: number;
  restarts: number;
  pid: number | undefined;
  lastFailure: string | undefined;
}

/** The instances of one server. */
export interface Pool {
  readonly server: string;
  readonly settings: ServerSettings;
  /** Calls a tool on the instance with the least to do. Throws CallFailure. */
  call(call: PooledCall): Promise<ToolAnswer>;
  /** The last good list of its tools; starts the server only when none has ever been seen, or when `isFresh`. */
  tools(options: { isFresh: boolean; timeoutMs: number }): Promise<ToolList>;
  /** The list as it is known without asking anybody. */
  knownTools(): Promise<ToolList | undefined>;
  instances(): InstanceView[];
  /** Whether a call would find an instance that is up. */
  isUp(): boolean;
  /** Whether there is, or will soon be, one that a call has not been tried on. */
  canTry(avoid: ReadonlySet<Connection>): boolean;
  size(): number;
  resize(count: number): void;
  /** Ends instances that nobody has used for long. */
  stopIfIdle(): Promise<void>;
  kill(): void;
}

export interface PoolNeeds {
  server: string;
  settings: ServerSettings;
  size: number;
  open(instance: string, hooks: { onClosed(): void; onToolsChanged(): void }): Promise<Connection>;
  lists: ToolLists;
  gate: Gate;
  now(): number;
  random(): number;
  log: Log;
  onGivenUp(instance: string, why: string): void;
  restart?: RestartRule;
}

/** Calls under way on one instance at once; what is beyond goes to another, or is refused. */
const mostInFlight = 64;

/** Failures in a row of any call, after which an instance is taken out. */
const failuresToEject = 5;

const longestCallMs = 50_000;
const listTimeoutMs = 10_000;
const usualIdleMs = 10 * 60_000;

interface Place {
  instance: Instance;
  inFlight: number;
  lastUsed: number;
  failuresInRow: number;
}

export function createPool(needs: PoolNeeds): Pool {
  const { server, settings, lists, gate, log } = needs;
  const places: Place[] = [];
  const health = createHealth(healthRule(settings), { onSick: (connection, why) => void eject(connection, why) });
  let uses = 0;
  let lastUsedAt = needs.now();
  let known: ToolList | undefined;
  let asked = 0;
  let kept = 0;
  grow(needs.size);

  function grow(size: number): void {
    while (places.length < size) {
      const id = `${server}#${places.length + 1}`;
      const instance = createInstance({
        id,
        now: needs.now,
        random: needs.random,
        onGivenUp: (why) => needs.onGivenUp(id, why),
        onLost: () => log.warn('a tool server has ended', { instance: id }),
        open: (onClosed) => open(id, onClosed),
        ...(needs.restart && { restart: needs.restart }),
      });
      places.push({ instance, inFlight: 0, lastUsed: 0, failuresInRow: 0 });
    }
  }

  async function open(id: string, onClosed: () => void): Promise<Connection> {
    let opened: Connection | undefined;
    const connection = await needs.open(id, {
      onClosed() {
        if (opened) health.forget(opened);
        onClosed();
      },
      onToolsChanged() {
        if (opened) list(opened).catch(() => {});
      },
    });
    opened = connection;
    try {
      await list(connection);
    } catch (error) {
      connection.kill();
      throw error;
    }
    health.watch(connection);
    return connection;
  }

  async function list(connection: Connection): Promise<ToolList> {
    const turn = ++asked;
    const tools = await connection.listTools(listTimeoutMs);
    // What was asked for later and answered before is newer.
    if (known && turn < kept) return known;
    kept = turn;
    known = await lists.keep(server, tools);
    return known;
  }

  const isUp = () => places.some(({ instance }) => instance.connection() !== undefined);

  const usable = (place: Place, avoid: ReadonlySet<Connection>): boolean => {
    const connection = place.instance.connection();
    return connection !== undefined && !avoid.has(connection) && !health.isSuspect(connection);
  };

  /** Least in flight, then the one whose turn it is. */
  function choose(avoid: ReadonlySet<Connection>, refused: ReadonlySet<Place>): Place | undefined {
    const free = places.filter((place) => usable(place, avoid) && !refused.has(place));
    return free.sort((one, other) => one.inFlight - other.inFlight || one.lastUsed - other.lastUsed)[0];
  }

  /** Instances are started when the first call comes, all of them, so that there is another when one fails. */
  function startAll(): Promise<Connection>[] {
    return places.map((place) => {
      const ready = place.instance.ready();
      ready.catch(() => {});
      return ready;
    });
  }

  /** Resolves to a place whose breaker lets the call through. Throws when there is none within the time. */
  async function admit(call: PooledCall, deadline: number): Promise<{ place: Place; leave: Leave }> {
    const refused = new Set<Place>();
    for (;;) {
      if (places.length === 0) throw scaledToNone();
      if (places.some(({ instance }) => instance.state() === 'stopped')) startAll();
      const place = choose(call.avoid, refused);
      if (place) {
        if (place.inFlight >= mostInFlight) throw new CallFailure('busy', `all instances have ${mostInFlight} calls`);
        // Counted before the breaker is asked: calls that come together would all choose the same one otherwise.
        place.inFlight++;
        place.lastUsed = ++uses;
        const leave = await gate.admit(breakerOf(place), call.timeoutMs);
        if (leave && usable(place, call.avoid)) return { place, leave };
        place.inFlight--;
        if (leave) await gate.forget(leave);
        else refused.add(place);
        continue;
      }
      for (const candidate of places) if (await gate.isShut(breakerOf(candidate))) refused.add(candidate);
      const starts = startAll();
      const waited = places.flatMap((candidate, index) => (refused.has(candidate) ? [] : (starts[index] ?? [])));
      if (waited.length === 0) throw new CallFailure('circuit_open', 'its circuit breaker is open');
      await waitForOne(waited, call, deadline);
    }
  }

  async function waitForOne(starts: Promise<Connection>[], call: PooledCall, deadline: number): Promise<void> {
    const left = deadline - performance.now();
    if (left <= 0) throw new CallFailure('not_started', 'no instance was ready in time');
    const fresh = starts.map(async (start) => {
      const connection = await start;
      await health.settled(connection);
      if (!connection.isOpen()) return;
      // One that this call has been tried on is of use again only as another process.
      if (call.avoid.has(connection)) throw new CallFailure('not_started', 'every instance has been tried');
    });
    await withPatience(fresh, left, call.signal);
  }

  async function call(request: PooledCall): Promise<ToolAnswer> {
    lastUsedAt = needs.now();
    const deadline = performance.now() + request.timeoutMs;
    const { place, leave } = await admit(request, deadline);
    const connection = place.instance.connection();
    try {
      if (!connection) throw new CallFailure('not_sent', 'the connection had ended');
      request.onChosen(place.instance.id, connection);
      const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
      const answer = await connection.call(request.tool, request.args, { ...request, timeoutMs });
      place.failuresInRow = 0;
      place.instance.hasAnswered();
      await gate.succeeded(breakerOf(place), leave);
      return answer;
    } catch (error) {
      if (connection) await judge(place, connection, leave, error);
      else await gate.forget(leave);
      throw error;
    } finally {
      place.inFlight--;
      lastUsedAt = needs.now();
    }
  }

  /** What a failed call says of its instance. */
  async function judge(place: Place, connection: Connection, leave: Leave, error: unknown): Promise<void> {
    const kind: CallFailureKind = error instanceof CallFailure ? error.kind : 'malformed';
    if (kind === 'wrong_call' || kind === 'too_large') {
      place.failuresInRow = 0;
      place.instance.hasAnswered();
      await gate.succeeded(breakerOf(place), leave);
      return;
    }
    if (kind === 'timeout' || kind === 'cancelled') {
      // Slow, or hung? It is asked; one that has let a caller wait for its whole time gets no calls until it has answered.
      void health.probe(connection, kind === 'timeout' ? 1 : 0);
      await gate.forget(leave);
      return;
    }
    // A process that has ended is started again: that needs no breaker. A web server's connection has no end to go by.
    if (!connection.isOpen() && leave.permit === undefined) return;
    place.failuresInRow++;
    if (place.failuresInRow < failuresToEject && leave.permit === undefined) return;
    const message = messageOf(error);
    const what = `${place.failuresInRow} calls in a row failed, the last: ${message}`;
    place.failuresInRow = 0;
    await gate.failed(breakerOf(place), leave, { type: failureType(kind), message: what });
    place.instance.replace(connection);
  }

  /** It does not answer at all: its breaker is open from now on, and another process takes its place. */
  async function eject(connection: Connection, why: string): Promise<void> {
    const place = places.find(({ instance }) => instance.connection() === connection);
    if (!place) return;
    log.warn('a tool server does not answer', { instance: place.instance.id, why });
    place.instance.replace(connection);
    await gate
      .failed(breakerOf(place), { permit: undefined }, { type: 'timeout', message: why })
      .catch((error: unknown) => log.warn('a breaker could not be told', { error }));
  }

  async function stop(idle: readonly Place[]): Promise<void> {
    await Promise.all(idle.map(({ instance }) => instance.stop()));
  }

  /** Calls under way are let end: nobody could tell what had come of them. */
  async function retire(place: Place): Promise<void> {
    const giveUpAt = performance.now() + longestCallMs;
    while (place.inFlight > 0 && performance.now() < giveUpAt) await sleep(50, undefined, { ref: false });
    await place.instance.stop();
  }

  return {
    server,
    settings,
    call,

    async knownTools() {
      known ??= await lists.get(server);
      return known;
    },

    async tools({ isFresh, timeoutMs }) {
      known ??= await lists.get(server);
      if (known && !isFresh) return known;
      if (places.length === 0) throw scaledToNone();
      lastUsedAt = needs.now();
      const wasUp = isUp();
      const connection = await withPatience(startAll(), timeoutMs, undefined);
      // Whoever has just come up has just been asked.
      return known && !wasUp ? known : list(connection);
    },

    instances: () =>
      places.map(({ instance, inFlight }) => {
        const connection = instance.connection();
        return {
          id: instance.id,
          state: connection && health.isSuspect(connection) ? 'suspect' : instance.state(),
          inFlight,
          restarts: instance.restarts(),
          pid: connection?.pid,
          lastFailure: instance.lastFailure(),
        };
      }),

    isUp,
    canTry: (avoid) =>
      places.some(({ instance }) => {
        const connection = instance.connection();
        return connection ? !avoid.has(connection) : instance.state() !== 'given_up';
      }),
    size: () => places.length,

    resize(count) {
      const isRunning = places.some(({ instance }) => instance.state() !== 'stopped');
      const removed = places.splice(count);
      grow(count);
      if (isRunning) startAll();
      void Promise.all(removed.map(retire));
    },

    async stopIfIdle() {
      const isBusy = places.some(({ inFlight }) => inFlight > 0);
      if (isBusy || needs.now() - lastUsedAt < (settings.idle ?? usualIdleMs)) return;
      await stop(places);
    },

    kill() {
      health.stop();
      for (const { instance } of places) instance.kill();
    },
  };
}

const scaledToNone = () => new CallFailure('not_started', 'it is scaled to 0 instances');

const breakerOf = ({ instance }: Place): string => `server:${instance.id}`;

function failureType(kind: CallFailureKind): FailureType {
  return kind === 'malformed' ? 'invalid_output' : 'exception';
}

function healthRule({ health }: ServerSettings): HealthRule | undefined {
  if (health === false) return undefined;
  return { intervalMs: health?.interval ?? 30_000, timeoutMs: health?.timeout ?? 2_000 };
}

/** The first to come to something. Rejects with the first failure if none does, and when time or caller have gone. */
async function withPatience<Found>(
  awaited: readonly Promise<Found>[],
  ms: number,
  signal: AbortSignal | undefined,
): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  let leave = () => {};
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CallFailure('not_started', 'no instance was ready in time')), ms);
    leave = () => reject(new CallFailure('cancelled', 'cancelled by its caller'));
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
  });
  try {
    return await Promise.race([Promise.any(awaited), end]);
  } catch (error) {
    throw error instanceof AggregateError ? (error.errors[0] ?? new CallFailure('not_started', 'no instance')) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}
