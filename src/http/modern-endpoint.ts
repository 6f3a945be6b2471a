import {
  type AuthInfo,
  createMcpHandler,
  type McpHttpHandler,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import { newUuid } from '../base/ids.js';
import type { Log } from '../base/log.js';
import { keyOf } from '../core/access/pass.js';
import { type Actor, personNamed } from '../core/actor.js';
import type { EventFeed } from '../mcp/event-feed.js';
import { ExposedTools } from '../mcp/exposed-tools.js';
import { Rounds } from '../mcp/modern-rounds.js';
import { createModernServer } from '../mcp/modern-server.js';
import { OtherCatalogs } from '../mcp/other-catalogs.js';
import { followResources } from '../mcp/resource-changes.js';
import { withoutUntold } from '../mcp/resources.js';
import { createRuntimeService } from '../mcp/runtime-service.js';
import type { ToolSurfaces } from '../mcp/tool-surface.js';
import { watchBody } from '../mcp/watch-body.js';
import { nameSession, type Runtime } from '../runtime.js';
import { forwarderOf } from './forwarder.js';
import type { Visitor } from './guard.js';
import { largestBody } from './largest-body.js';
import { findPlace, type Place, tooMany } from './mcp-places.js';
import type { OpenVisits } from './open-visits.js';

interface ModernEndpointNeeds {
  runtime: Runtime;
  isReadOnly: boolean;
  log: Log;
  visits: OpenVisits;
  surfaces: ToolSurfaces;
  feed: EventFeed;
}

/** A request that is being answered, or a stream of changes that is open. */
interface Open extends Place {
  /** Held until its answer has ended: what nobody holds of a request is collected, and then its signal never aborts. */
  request: Request;
  end(): void;
}

/** Protocol 2026-07-28 over HTTP: each request stands for itself, and nothing is kept between them. */
export class ModernEndpoint {
  readonly #needs: ModernEndpointNeeds;
  readonly #open = new Map<string, Open>();
  readonly #rounds = new Rounds();
  readonly #handler: McpHttpHandler;
  readonly #changes: Changes;

  constructor(needs: ModernEndpointNeeds) {
    this.#needs = needs;
    this.#changes = createChanges(needs);
    this.#handler = createMcpHandler(
      async ({ authInfo, requestInfo }) => this.#serverFor(passOf(authInfo), requestInfo),
      {
        legacy: 'reject',
        bus: this.#changes,
        maxRequestBodySize: largestBody,
        onerror: (error) => needs.log.warn('a request was refused', { problem: error.message }),
      },
    );
  }

  async handle(incoming: Request, pass: Visitor): Promise<Response> {
    const place = findPlace(this.#open, pass);
    if (place === 'full') return Response.json(tooMany, { status: 503 });
    if (place !== 'free') this.#open.get(place.giveUp)?.end();
    const id = newUuid();
    const ending = new AbortController();
    const end = () => ending.abort();
    // It ends with the token of its caller.
    const leave = this.#needs.visits.add(pass, end);
    const request = new Request(incoming, { signal: AbortSignal.any([incoming.signal, ending.signal]) });
    this.#open.set(id, { request, pass, hasBegun: true, open: 1, usedAt: this.#needs.runtime.clock.tick(), end });
    // The SDK says at once that it listens: from then on no change may be missed.
    const isListening = request.headers.get('mcp-method') === 'subscriptions/listen';
    if (isListening) await this.#changes.start();
    const parsedBody = isListening ? withoutUntold(await bodyOf(request)) : undefined;
    const response = await this.#handler.fetch(request, {
      authInfo: authOf(pass),
      ...(parsedBody === undefined ? {} : { parsedBody }),
    });
    return watchBody(response, () => {
      leave();
      this.#open.delete(id);
    });
  }

  async close(): Promise<void> {
    await this.#handler.close();
    for (const { end } of this.#open.values()) end();
  }

  async #serverFor(pass: Visitor, request: Request | undefined) {
    const { runtime, surfaces, feed } = this.#needs;
    const isReadOnly = this.#needs.isReadOnly || pass.isReadOnly;
    const service = createRuntimeService({
      surfaces,
      actor: await this.#actorOf(pass, request),
      isReadOnly,
      rights: pass,
      runtime: async () => runtime,
      exposing: { now: async () => runtime, opened: Promise.resolve(runtime) },
      feed,
    });
    const method = request?.headers.get('mcp-method') ?? undefined;
    return createModernServer({ service, rounds: this.#rounds, caller: keyOf(pass), method });
  }

  /** Without a session no heartbeat renews a claim: it lasts as long as its lease. */
  async #actorOf({ isReadOnly, name }: Visitor, request: Request | undefined): Promise<Actor> {
    if (!request) return personNamed(name);
    const forwarder = forwarderOf(request);
    const { clientSessionId, clientId, project } = forwarder;
    // Who only reads holds nothing.
    if ((clientSessionId ?? clientId) === undefined || isReadOnly) return personNamed(name, project);
    const { holder } = nameSession(forwarder);
    return { holder, project, hasHeartbeat: await this.#needs.runtime.sessions.isAlive(holder) };
  }
}

/** What a request says; undefined if it is no JSON, which the SDK refuses. */
const bodyOf = (request: Request): Promise<unknown> =>
  request
    .clone()
    .json()
    .catch(() => undefined);

/** The caller, as the SDK hands it on to whoever makes the server of a request. */
function authOf(pass: Visitor): AuthInfo {
  return { token: '', clientId: pass.name, scopes: [], extra: { pass } };
}

const passOf = (auth: AuthInfo | undefined): Visitor => auth?.extra?.pass as Visitor;

interface Changes extends ServerEventBus {
  /** Follows them already now, for a listener that is about to come. */
  start(): Promise<void>;
}

/** The changes of resources, prompts and tools, followed while anybody listens. */
function createChanges(needs: ModernEndpointNeeds): Changes {
  const { runtime, feed, log } = needs;
  const listeners = new Set<(event: ServerEvent) => void>();
  let following: Promise<() => void> | undefined;
  const publish = (event: ServerEvent) => {
    for (const listener of listeners) listener(event);
  };
  async function follow(): Promise<() => void> {
    const exposing = { now: async () => runtime, opened: Promise.resolve(runtime) };
    const exposed = new ExposedTools({ exposing, isReadOnly: false, feed });
    await exposed.list();
    const endTools = exposed.follow(() => publish({ kind: 'tools_list_changed' }));
    const endResources = await followResources({ db: runtime.db, feed, log }, ({ uris, isListChanged }) => {
      for (const uri of uris) publish({ kind: 'resource_updated', uri });
      if (isListChanged) publish({ kind: 'resources_list_changed' });
    });
    const endOthers = new OtherCatalogs({ exposing, isReadOnly: false }).follow((list) =>
      publish({ kind: `${list}_list_changed` }),
    );
    return () => {
      endTools();
      endOthers();
      endResources();
    };
  }
  async function start(): Promise<void> {
    following ??= follow();
    await following.catch((error: unknown) => {
      following = undefined;
      log.warn('changes could not be followed', { error });
    });
  }
  return {
    publish,
    start,
    subscribe(listener) {
      listeners.add(listener);
      void start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        following?.then((end) => end()).catch(() => {});
        following = undefined;
      };
    },
  };
}
