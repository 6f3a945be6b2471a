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

interface Connection {
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  session: Session;
  isReadOnly: boolean;
  /** Requests that are not answered yet, and open streams. */
  open: number;
  usedAt: number;
}

/** A client without requests for this long, and without an open stream, counts as gone. */
const idleMs = 120_000;
const mostConnections = 500;

interface EndpointNeeds {
  runtime: Runtime;
  config: Config;
  log: Log;
}

/** The MCP server over Streamable HTTP (MCP spec 2025-11-25, transports): one session of ours for each of a client's. */
export class McpEndpoint {
  readonly #runtime: Runtime;
  readonly #config: Config;
  readonly #log: Log;
  readonly #connections = new Map<string, Connection>();
  readonly #sweeping: NodeJS.Timeout;

  constructor({ runtime, config, log }: EndpointNeeds) {
    this.#runtime = runtime;
    this.#config = config;
    this.#log = log;
    this.#sweeping = setInterval(() => void this.#endIdle(), idleMs / 4);
    this.#sweeping.unref();
  }

  async handle(request: Request, visitor: Visitor): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) {
      if (this.#connections.size >= mostConnections) return Response.json(tooMany, { status: 503 });
      return this.#begin(request, visitor);
    }
    const connection = this.#connections.get(id);
    // By the specification a client starts a new session after a 404. A restarted server knows no sessions.
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
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all([...this.#connections.keys()].map((id) => this.#end(id)));
  }

  async #endIdle(): Promise<void> {
    const now = performance.now();
    for (const [id, { open, usedAt }] of this.#connections) {
      if (open === 0 && now - usedAt > idleMs) await this.#end(id);
    }
  }

  async #end(id: string): Promise<void> {
    const connection = this.#connections.get(id);
    if (!this.#connections.delete(id) || !connection) return;
    await connection.server.close().catch(() => {});
    await this.#runtime.maintenance.endSession(connection.session).catch((error: unknown) => {
      this.#log.warn('a session could not be ended', { session: connection.session.id, error });
    });
  }

  /** Answers a client's first request; its later ones name the session that this answer gives them. */
  async #begin(request: Request, { isReadOnly }: Visitor): Promise<Response> {
    const info = {
      clientSessionId: request.headers.get(conversationHeader) ?? undefined,
      project: decoded(request.headers.get(projectHeader) ?? ''),
    };
    const session = nameSession(info);
    const server = createMcpServer({
      config: { ...this.#config, isReadOnly: this.#config.isReadOnly || isReadOnly },
      session,
      runtime: async () => this.#runtime,
    });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#connections.set(id, { server, transport, session, isReadOnly, open: 0, usedAt: performance.now() });
      },
      onsessionclosed: (id) => this.#end(id),
    });
    server.oninitialized = () => {
      const client = server.getClientVersion();
      this.#runtime.maintenance
        .beginSession(session, { ...info, clientName: client?.name, clientVersion: client?.version })
        .catch((error: unknown) => this.#log.error('the session could not begin', { error }));
    };
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<Server['connect']>[0]);
    return transport.handleRequest(request);
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
  error: { code: -32000, message: `This server has ${mostConnections} sessions already; end some, or try again.` },
  id: null,
};
