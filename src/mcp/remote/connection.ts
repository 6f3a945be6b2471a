import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { RuntimeError } from '../../base/errors.js';
import { wasNeverSent } from '../../base/network-error.js';
import { version } from '../../base/version.js';
import { watchBody } from '../watch-body.js';

export interface RemoteOptions {
  /** Of the server, with or without `/mcp` at its end. */
  url: string;
  /** Asked for each connection: its file may be written later than this process began. */
  token(): string | undefined;
  /** Read for each connection too. */
  headers: Readonly<Record<string, string>>;
  /** Its list of tools may be another one: it says so, or has been away. */
  onToolsChanged?(): void;
}

/** How a call failed, as far as can be told. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';

  constructor(
    message: string,
    /** Whether the server may have carried it out. */
    readonly mayHaveHappened: boolean,
    /** Whether the same call may succeed soon. */
    readonly isPassing: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface RemoteConnection {
  /** Does something with a connection, made now if there is none. Throws RemoteFailure; the server's own errors pass. */
  use<Answer>(work: (client: Client) => Promise<Answer>): Promise<Answer>;
  close(): Promise<void>;
}

/** A connection to a remote runtime that is made anew whenever it is lost. */
export function createRemoteConnection(options: RemoteOptions): RemoteConnection {
  const endpoint = new URL(options.url.replace(/(\/mcp)?\/*$/, '/mcp'));
  let current: Connecting | undefined;
  let isComingBack = false;
  let isClosed = false;

  async function connect(token: string | undefined, onLost: () => void): Promise<Client> {
    const client = new Client({ name: 'agent-runtime-mcp', version });
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => options.onToolsChanged?.());
    const drop = () => {
      onLost();
      void client.close().catch(() => {});
    };
    const transport = transportTo(endpoint, { headers: options.headers, token, onBroken: drop });
    // The SDK's own classes disagree under exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<Client['connect']>[0], {
      timeout: connectMs,
    } satisfies RequestOptions);
    return client;
  }

  function connected(): Connecting {
    if (current) return current;
    const token = options.token();
    const connection: Connecting = { token, client: connect(token, () => lose(connection)) };
    current = connection;
    return connection;
  }

  function forget(connection: Connecting): void {
    if (current === connection) current = undefined;
  }

  /** A connection that was there is gone. */
  function lose(connection: Connecting): void {
    if (current !== connection) return;
    current = undefined;
    void comeBack();
  }

  /** Connects again without waiting for a call: the server renews what its clients hold, before the lease of that ends. */
  async function comeBack(): Promise<void> {
    if (isComingBack) return;
    isComingBack = true;
    for (const pauseMs of comingBackMs) {
      await sleep(pauseMs, undefined, { ref: false });
      if (isClosed || current) break;
      const connection = connected();
      const isBack = await connection.client.then(
        () => true,
        () => false,
      );
      if (isBack) {
        options.onToolsChanged?.();
        break;
      }
      forget(connection);
    }
    isComingBack = false;
  }

  /** One try. Whatever fails, the next one connects anew. */
  async function attempt<Answer>(connection: Connecting, work: (client: Client) => Promise<Answer>): Promise<Answer> {
    let client: Client;
    try {
      client = await connection.client;
    } catch (error) {
      forget(connection);
      throw unreachable(endpoint, error);
    }
    try {
      return await work(client);
    } catch (error) {
      const failure = failureOf(endpoint, error);
      if (!failure) throw error;
      lose(connection);
      await client.close().catch(() => {});
      throw failure;
    }
  }

  return {
    async use(work) {
      isClosed = false;
      const connection = connected();
      try {
        return await attempt(connection, work);
      } catch (error) {
        // The file may have been written since. A request that was refused has changed nothing.
        const isRefused = error instanceof RuntimeError && error.code === 'not_configured';
        if (!isRefused || options.token() === connection.token) throw error;
        return attempt(connected(), work);
      }
    },
    async close() {
      isClosed = true;
      const closing = current;
      // From here on its end is no loss.
      current = undefined;
      const client = await closing?.client.catch(() => undefined);
      await client?.close();
    },
  };
}

interface Connecting {
  /** The one it was made with. */
  token: string | undefined;
  client: Promise<Client>;
}

const connectMs = 10_000;

/** Pauses before each try: a server needs some seconds to restart, and a claim outlives it for a minute. */
const comingBackMs = [500, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 30_000];

interface TransportOptions {
  headers: Readonly<Record<string, string>>;
  token: string | undefined;
  onBroken(): void;
}

function transportTo(endpoint: URL, { headers, token, onBroken }: TransportOptions) {
  return new StreamableHTTPClientTransport(endpoint, {
    requestInit: { headers: { ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) } },
    // A redirect would carry the token to another host.
    fetch: async (url, init) => {
      const response = await fetch(url, { ...init, redirect: 'manual' });
      return watched(response, init?.method === 'GET', onBroken);
    },
    // What is lost is made anew by the next call, with its session.
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
    },
  });
}

/** Tells when an answer breaks off in its middle, and when the stream ends that the server keeps open for a session. */
function watched(response: Response, isOfSession: boolean, onBroken: () => void): Response {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response;
  return watchBody(response, (how) => {
    if (how === 'broken' || (how === 'read' && isOfSession)) onBroken();
  });
}

function unreachable(endpoint: URL, error: unknown): RemoteFailure | RuntimeError {
  return failureOf(endpoint, error) ?? new RemoteFailure(messageWithCause(error), false, true, { cause: error });
}

function failureOf(endpoint: URL, error: unknown): RemoteFailure | RuntimeError | undefined {
  const cause = { cause: error };
  if (error instanceof StreamableHTTPError) {
    if (error.code === 401 || error.code === 403) {
      return new RuntimeError(
        'not_configured',
        `The runtime at ${endpoint.origin} does not let this one in (HTTP ${error.code}).`,
        'Set AGENT_RUNTIME_TOKEN to a token that `agent-runtime token create` made there.',
        cause,
      );
    }
    // It has restarted, and knows the session no more: nothing was done.
    if (error.code === 404) return new RemoteFailure('the session is gone', false, true, cause);
    return new RemoteFailure(`HTTP ${error.code}`, false, (error.code ?? 0) >= 500, cause);
  }
  const text = messageWithCause(error);
  if (error instanceof TypeError && /fetch failed/.test(text)) {
    const wasSent = !wasNeverSent(error);
    return new RemoteFailure(text, wasSent, true, cause);
  }
  if (/Connection closed|SSE stream disconnected|aborted|terminated/i.test(text)) {
    return new RemoteFailure('the connection broke off', true, true, cause);
  }
  return undefined;
}

/** `fetch failed (connect ECONNREFUSED 127.0.0.1:3335)` */
function messageWithCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = 'code' in cause ? `${cause.code} ` : '';
  return `${error.message} (${code}${cause.message})`;
}
