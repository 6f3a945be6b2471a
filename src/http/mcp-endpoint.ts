import { randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { keyOf } from '../core/access/pass.js';
import { ClientProject } from '../mcp/client-project.js';
import { createEventFeed, type EventFeed } from '../mcp/event-feed.js';
import { createLegacyServer } from '../mcp/legacy-server.js';
import { createRuntimeService } from '../mcp/runtime-service.js';
import { createToolSurfaces, type ToolSurfaces } from '../mcp/tool-surface.js';
import { watchBody } from '../mcp/watch-body.js';
import { nameSession, type Runtime, type Session } from '../runtime.js';
import { forwarderOf } from './forwarder.js';
import type { Visitor } from './guard.js';
import { findPlace, isIdle, type Place, tooMany } from './mcp-places.js';
import type { ModernEndpoint } from './modern-endpoint.js';
import type { OpenVisits } from './open-visits.js';

interface Connection extends Place {
  pass: Visitor;
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  session: Session;
  /** Writes what has become known of the session; missing before it has begun. */
  renew?: () => void;
  /** Says that it has ended by itself. */
  leave(): void;
}

const sweepMs = 5_000;

interface EndpointNeeds {
  runtime: Runtime;
  config: Config;
  log: Log;
  visits: OpenVisits;
}

/** The MCP server over Streamable HTTP (MCP spec 2025-11-25, transports): one session of ours for each of a client's. */
export class McpEndpoint {
  readonly #runtime: Runtime;
  readonly #config: Config;
  readonly #log: Log;
  readonly #visits: OpenVisits;
  readonly #connections = new Map<string, Connection>();
  readonly #surfaces: ToolSurfaces;
  readonly #feed: EventFeed;
  #modern: Promise<ModernEndpoint> | undefined;
  readonly #sweeping: NodeJS.Timeout;

  constructor({ runtime, config, log, visits }: EndpointNeeds) {
    this.#runtime = runtime;
    this.#config = config;
    this.#log = log;
    this.#visits = visits;
    this.#surfaces = createToolSurfaces(config);
    this.#feed = createEventFeed({ db: runtime.db, log });
    this.#sweeping = setInterval(() => void this.endIdle(), sweepMs);
    this.#sweeping.unref();
  }

  async handle(request: Request, visitor: Visitor): Promise<Response> {
    if (await isModern(request)) return (await this.#loadModern()).handle(request, visitor);
    const id = request.headers.get('mcp-session-id');
    if (id === null) return this.#begin(request, visitor);
    const connection = this.#connections.get(id);
    // By the specification a client starts a new session after a 404. A restarted server knows no sessions.
    if (!connection || keyOf(connection.pass) !== keyOf(visitor)) {
      return Response.json(unknownSession, { status: 404 });
    }
    this.#prolong(id, connection, visitor);
    return this.#answer(connection, request);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all([...this.#connections.keys()].map((id) => this.#end(id)));
    await (await this.#modern)?.close();
    this.#feed.close();
  }

  /** Ends the connections without a request for too long. */
  async endIdle(): Promise<void> {
    const now = this.#runtime.clock.tick();
    for (const [id, connection] of this.#connections) if (isIdle(connection, now)) await this.#end(id);
  }

  /** Loaded when a client first speaks it. */
  #loadModern(): Promise<ModernEndpoint> {
    this.#modern ??= import('./modern-endpoint.js').then(
      ({ ModernEndpoint }) =>
        new ModernEndpoint({
          runtime: this.#runtime,
          isReadOnly: this.#config.isReadOnly,
          log: this.#log,
          visits: this.#visits,
          surfaces: this.#surfaces,
          feed: this.#feed,
        }),
    );
    return this.#modern;
  }

  async #end(id: string): Promise<void> {
    const connection = this.#connections.get(id);
    if (!this.#connections.delete(id) || !connection) return;
    connection.leave();
    await connection.server.close().catch(() => {});
    await this.#runtime.maintenance.endSession(connection.session).catch((error: unknown) => {
      this.#log.warn('a session could not be ended', { session: connection.session.id, error });
    });
  }

  /** Answers a client's first request; its later ones name the session that this answer gives them. */
  async #begin(request: Request, pass: Visitor): Promise<Response> {
    const place = findPlace(this.#connections, pass);
    if (place === 'full') return Response.json(tooMany, { status: 503 });
    const id = randomUUID();
    const connection = this.#connect(id, request, pass);
    // From here on it counts, before anything is awaited: many may come at once.
    this.#connections.set(id, connection);
    if (place !== 'free') await this.#end(place.giveUp);
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await connection.server.connect(connection.transport as Parameters<Server['connect']>[0]);
    const response = await this.#answer(connection, request);
    // It was no initialize.
    if (connection.transport.sessionId === undefined) await this.#end(id);
    return response;
  }

  #connect(id: string, request: Request, pass: Visitor): Connection {
    const { isReadOnly } = pass;
    const forwarder = forwarderOf(request);
    // Whoever says who it is renews what it holds, which is a write.
    const info = isReadOnly ? { project: forwarder.project } : forwarder;
    const comesBack = !isReadOnly && (forwarder.clientSessionId ?? forwarder.clientId) !== undefined;
    const session = { ...nameSession(info), comesBack };
    const project = new ClientProject({
      given: info.project,
      otherwise: '',
      log: this.#log,
      onChange(named) {
        session.project = named;
        connection.renew?.();
      },
    });
    const server = createLegacyServer(
      createRuntimeService({
        surfaces: this.#surfaces,
        actor: session,
        sessionId: session.id,
        isReadOnly: this.#config.isReadOnly || isReadOnly,
        rights: pass,
        runtime: async () => this.#runtime,
        exposing: { now: async () => this.#runtime, opened: Promise.resolve(this.#runtime) },
        feed: this.#feed,
        settleProject: (exchange) => project.settle(exchange),
      }),
    );
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.#end(id),
    });
    const connection: Connection = {
      pass,
      server,
      transport,
      session,
      hasBegun: false,
      open: 0,
      usedAt: this.#runtime.clock.tick(),
      leave: this.#visits.add(pass, () => void this.#end(id)),
    };
    server.oninitialized = () => {
      connection.hasBegun = true;
      // Who only reads holds nothing, so there is nothing to renew.
      if (isReadOnly || !this.#connections.has(id)) return;
      const client = server.getClientVersion();
      connection.renew = () => {
        if (!this.#connections.has(id)) return;
        this.#runtime.maintenance
          .beginSession(session, { ...info, clientName: client?.name, clientVersion: client?.version })
          .catch((error: unknown) => this.#log.error('the session could not begin', { error }));
      };
      connection.renew();
    };
    return connection;
  }

  /** Whoever renews an issuer's token goes on in the same session, which ends with the newest. */
  #prolong(id: string, connection: Connection, pass: Visitor): void {
    if (!pass.issued || pass.issued.expiresAt <= (connection.pass.issued?.expiresAt ?? Infinity)) return;
    connection.leave();
    connection.pass = pass;
    connection.leave = this.#visits.add(pass, () => void this.#end(id));
  }

  async #answer(connection: Connection, request: Request): Promise<Response> {
    const { clock } = this.#runtime;
    connection.open++;
    connection.usedAt = clock.tick();
    const response = await connection.transport.handleRequest(request);
    return watchBody(response, () => {
      connection.open--;
      connection.usedAt = clock.tick();
    });
  }
}

/**
 * Whether a request is of protocol 2026-07-28 or later, which names its version in a header; a body without the header
 * that names one is for it to refuse.
 */
async function isModern(request: Request): Promise<boolean> {
  const version = request.headers.get('mcp-protocol-version');
  if (version !== null) return version >= firstModern;
  if (request.method !== 'POST' || request.headers.has('mcp-session-id')) return false;
  return (await request.clone().text()).includes('"io.modelcontextprotocol/protocolVersion"');
}

const firstModern = '2026-07-28';

const unknownSession = {
  jsonrpc: '2.0',
  error: { code: -32001, message: 'This session is not known here, or no longer; initialize a new one.' },
  id: null,
};
