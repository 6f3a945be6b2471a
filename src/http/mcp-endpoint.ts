import { randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { keyOf } from '../core/access/pass.js';
import { conversationHeader, projectHeader } from '../mcp/remote/headers.js';
import { createMcpServer } from '../mcp/server.js';
import { watchBody } from '../mcp/watch-body.js';
import { nameSession, type Runtime, type Session } from '../runtime.js';
import type { Visitor } from './guard.js';
import { findPlace, isIdle, mostPlaces, mostPlacesOfToken, type Place } from './mcp-places.js';
import type { OpenVisits } from './open-visits.js';

interface Connection extends Place {
  pass: Visitor;
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  session: Session;
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
  readonly #sweeping: NodeJS.Timeout;

  constructor({ runtime, config, log, visits }: EndpointNeeds) {
    this.#runtime = runtime;
    this.#config = config;
    this.#log = log;
    this.#visits = visits;
    this.#sweeping = setInterval(() => void this.endIdle(), sweepMs);
    this.#sweeping.unref();
  }

  async handle(request: Request, visitor: Visitor): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return this.#begin(request, visitor);
    const connection = this.#connections.get(id);
    // By the specification a client starts a new session after a 404. A restarted server knows no sessions.
    if (!connection || keyOf(connection.pass) !== keyOf(visitor)) {
      return Response.json(unknownSession, { status: 404 });
    }
    return this.#answer(connection, request);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all([...this.#connections.keys()].map((id) => this.#end(id)));
  }

  /** Ends the connections without a request for too long. */
  async endIdle(): Promise<void> {
    const now = this.#runtime.clock.tick();
    for (const [id, connection] of this.#connections) if (isIdle(connection, now)) await this.#end(id);
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
    const info = {
      // Whoever names a conversation renews what it holds, which is a write.
      clientSessionId: isReadOnly ? undefined : (request.headers.get(conversationHeader) ?? undefined),
      project: decoded(request.headers.get(projectHeader) ?? ''),
    };
    const session = nameSession(info);
    const server = createMcpServer({
      config: { ...this.#config, isReadOnly: this.#config.isReadOnly || isReadOnly },
      session,
      rights: pass,
      runtime: async () => this.#runtime,
    });
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
      this.#runtime.maintenance
        .beginSession(session, { ...info, clientName: client?.name, clientVersion: client?.version })
        .catch((error: unknown) => this.#log.error('the session could not begin', { error }));
    };
    return connection;
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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const unknownSession = {
  jsonrpc: '2.0',
  error: { code: -32001, message: 'This session is not known here, or no longer; initialize a new one.' },
  id: null,
};

const tooMany = {
  jsonrpc: '2.0',
  error: {
    code: -32000,
    message: `A token may have ${mostPlacesOfToken} sessions here, and all tokens ${mostPlaces}; end some, or try again.`,
  },
  id: null,
};
