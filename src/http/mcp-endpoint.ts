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

export interface McpEndpoint {
  handle(request: Request, visitor: Visitor): Promise<Response>;
  /** Ends the connections that have not been heard of for long. */
  endIdle(): Promise<void>;
  close(): Promise<void>;
}

export interface McpEndpointNeeds {
  runtime: Runtime;
  config: Config;
  log: Log;
  visits: OpenVisits;
}

interface Connection extends Place {
  pass: Visitor;
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  session: Session;
  /** Says that it has ended by itself. */
  leave(): void;
}

const sweepMs = 5_000;

/** The MCP server over Streamable HTTP (MCP spec 2025-11-25, transports): one session of ours for each of a client's. */
export function createMcpEndpoint({ runtime, config, log, visits }: McpEndpointNeeds): McpEndpoint {
  /** By the id that the client names it by. */
  const connections = new Map<string, Connection>();
  const sweeping = setInterval(() => void endIdle(), sweepMs);
  sweeping.unref();

  async function endIdle(): Promise<void> {
    const now = runtime.clock.tick();
    for (const [id, connection] of connections) if (isIdle(connection, now)) await end(id);
  }

  async function end(id: string): Promise<void> {
    const connection = connections.get(id);
    if (!connections.delete(id) || !connection) return;
    connection.leave();
    await connection.server.close().catch(() => {});
    await runtime.maintenance.endSession(connection.session).catch((error: unknown) => {
      log.warn('a session could not be ended', { session: connection.session.id, error });
    });
  }

  /** A client's first request; others name the session that this one gives them. */
  async function begin(request: Request, pass: Visitor): Promise<Response> {
    const place = findPlace(connections, pass);
    if (place === 'full') return Response.json(tooMany, { status: 503 });
    const id = randomUUID();
    const connection = connect(id, request, pass);
    // From here on it counts, before anything is awaited: many may come at once.
    connections.set(id, connection);
    if (place !== 'free') await end(place.giveUp);
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await connection.server.connect(connection.transport as Parameters<Server['connect']>[0]);
    const response = await answer(connection, request);
    // It was no initialize.
    if (connection.transport.sessionId === undefined) await end(id);
    return response;
  }

  function connect(id: string, request: Request, pass: Visitor): Connection {
    const { isReadOnly } = pass;
    const info = {
      // Whoever names a conversation keeps what it holds, which is a write.
      clientSessionId: isReadOnly ? undefined : (request.headers.get(conversationHeader) ?? undefined),
      project: decoded(request.headers.get(projectHeader) ?? ''),
    };
    const session = nameSession(info);
    const server = createMcpServer({
      config: { ...config, isReadOnly: config.isReadOnly || isReadOnly },
      session,
      rights: pass,
      runtime: async () => runtime,
    });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: end,
    });
    server.oninitialized = () => {
      connection.hasBegun = true;
      // Who only reads holds nothing, so there is nothing to keep alive.
      if (isReadOnly || !connections.has(id)) return;
      const client = server.getClientVersion();
      runtime.maintenance
        .beginSession(session, { ...info, clientName: client?.name, clientVersion: client?.version })
        .catch((error: unknown) => log.error('the session could not begin', { error }));
    };
    const connection: Connection = {
      pass,
      server,
      transport,
      session,
      hasBegun: false,
      open: 0,
      usedAt: runtime.clock.tick(),
      leave: visits.add(pass, () => void end(id)),
    };
    return connection;
  }

  async function answer(connection: Connection, request: Request): Promise<Response> {
    connection.open++;
    connection.usedAt = runtime.clock.tick();
    const response = await connection.transport.handleRequest(request);
    return watchBody(response, () => {
      connection.open--;
      connection.usedAt = runtime.clock.tick();
    });
  }

  return {
    async handle(request, visitor) {
      const id = request.headers.get('mcp-session-id');
      if (id === null) return begin(request, visitor);
      const connection = connections.get(id);
      // By the specification a client begins anew at 404; after a restart of this server nobody is known.
      if (!connection || keyOf(connection.pass) !== keyOf(visitor)) {
        return Response.json(unknownSession, { status: 404 });
      }
      return answer(connection, request);
    },

    endIdle,

    async close() {
      clearInterval(sweeping);
      await Promise.all([...connections.keys()].map(end));
    },
  };
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
