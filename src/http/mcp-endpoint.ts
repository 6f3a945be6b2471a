import { randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { conversationHeader, projectHeader } from '../mcp/remote/headers.js';
import { createMcpServer } from '../mcp/server.js';
import { watchBody } from '../mcp/watch-body.js';
import { nameSession, type Runtime, type Session } from '../runtime.js';
import type { Visitor } from './guard.js';

export interface McpEndpoint {
  handle(request: Request, visitor: Visitor): Promise<Response>;
  close(): Promise<void>;
}

interface Connection {
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  session: Session;
  isReadOnly: boolean;
  /** Requests that are not answered yet, and open streams. */
  open: number;
  usedAt: number;
}

/** A client that has not been heard of for this long, and has no stream open, is gone. */
const idleMs = 120_000;
const mostConnections = 500;

/** The MCP server over Streamable HTTP (MCP spec 2025-11-25, transports): one session of ours for each of a client's. */
export function createMcpEndpoint(needs: { runtime: Runtime; config: Config; log: Log }): McpEndpoint {
  const { runtime, config, log } = needs;
  const connections = new Map<string, Connection>();
  const sweeping = setInterval(() => void endIdle(), idleMs / 4);
  sweeping.unref();

  async function endIdle(): Promise<void> {
    const now = performance.now();
    for (const [id, { open, usedAt }] of connections) if (open === 0 && now - usedAt > idleMs) await end(id);
  }

  async function end(id: string): Promise<void> {
    const connection = connections.get(id);
    if (!connections.delete(id) || !connection) return;
    await connection.server.close().catch(() => {});
    await runtime.maintenance.endSession(connection.session).catch((error: unknown) => {
      log.warn('a session could not be ended', { session: connection.session.id, error });
    });
  }

  /** A client's first request; others name the session that this one gives them. */
  async function begin(request: Request, { isReadOnly }: Visitor): Promise<Response> {
    const info = {
      clientSessionId: request.headers.get(conversationHeader) ?? undefined,
      project: decoded(request.headers.get(projectHeader) ?? ''),
    };
    const session = nameSession(info);
    const server = createMcpServer({
      config: { ...config, isReadOnly: config.isReadOnly || isReadOnly },
      session,
      runtime: async () => runtime,
    });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(id) {
        connections.set(id, { server, transport, session, isReadOnly, open: 0, usedAt: performance.now() });
      },
      onsessionclosed: (id) => end(id),
    });
    server.oninitialized = () => {
      const client = server.getClientVersion();
      runtime.maintenance
        .beginSession(session, { ...info, clientName: client?.name, clientVersion: client?.version })
        .catch((error: unknown) => log.error('the session could not begin', { error }));
    };
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<Server['connect']>[0]);
    return transport.handleRequest(request);
  }

  return {
    async handle(request, visitor) {
      const id = request.headers.get('mcp-session-id');
      if (id === null) {
        if (connections.size >= mostConnections) return Response.json(tooMany, { status: 503 });
        return begin(request, visitor);
      }
      const connection = connections.get(id);
      // By the specification a client begins anew at 404; after a restart of this server nobody is known.
      if (!connection || connection.isReadOnly !== visitor.isReadOnly) {
        return Response.json(unknownSession, { status: 404 });
      }
      connection.open++;
      connection.usedAt = performance.now();
      const response = await connection.transport.handleRequest(request);
      return watchBody(response, () => {
        connection.open--;
        connection.usedAt = performance.now();
      });
    },

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
  error: { code: -32000, message: `This server has ${mostConnections} sessions already; end some, or try again.` },
  id: null,
};
