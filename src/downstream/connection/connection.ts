import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  EmptyResultSchema,
  ErrorCode,
  McpError,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { messageOf } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { systemCode, wasNeverSent } from '../../base/network-error.js';
import { version } from '../../base/version.js';
import { CallFailure } from './call-failure.js';
import type { Launch } from './launch.js';
import { limitedFetch } from './limited-fetch.js';
import {
  createStdioTransport,
  longestMessageBytes,
  malformedCode,
  type StdioTransport,
  tooLargeCode,
} from './stdio-transport.js';
import { parseTools, type ToolAnswer, type ToolDescription, toolAnswer } from './tool-description.js';
import type { Watchdog } from './watchdog.js';

export interface CallOptions {
  timeoutMs: number;
  signal: AbortSignal;
  onProgress?: ((message: string) => void) | undefined;
}

/** One connection to one server, from `initialize` to its end; it is not used again after that. */
export interface Connection {
  readonly pid: number | undefined;
  isOpen(): boolean;
  /** Throws CallFailure. */
  call(tool: string, args: JsonObject, options: CallOptions): Promise<ToolAnswer>;
  /** Whether it answers at all: a ping, or for those who do not know it the list of tools. Throws CallFailure. */
  check(timeoutMs: number): Promise<void>;
  listTools(timeoutMs: number): Promise<ToolDescription[]>;
  stderrTail(): string;
  /** Asks it to end, and sees to it that it does. */
  close(): Promise<void>;
  /** Ends it now. */
  kill(): void;
}

export interface ConnectionNeeds {
  launch: Launch;
  watchdog: Watchdog;
  timeoutMs: number;
  /** Called once, whoever ended it. */
  onClosed(): void;
  onToolsChanged(): void;
  /** Told of the process as soon as there is one. */
  onStarted(pid: number): void;
}

/** Starts or reaches a server and initializes it. Throws CallFailure `not_started`. */
export async function openConnection(needs: ConnectionNeeds): Promise<Connection> {
  const { launch, watchdog, timeoutMs } = needs;
  const stdio = launch.kind === 'stdio' ? createStdioTransport(launch, watchdog) : undefined;
  const http = launch.kind === 'http' ? createHttpTransport(launch.url, launch.headers) : undefined;
  const client = new Client({ name: 'agent-runtime-mcp', title: 'Agent Runtime', version });
  let isClosed = false;
  let knowsPing = true;

  // It asks for what the caller's model or user would have to answer, and neither has agreed to that.
  client.fallbackRequestHandler = async ({ method }) => {
    throw new McpError(ErrorCode.MethodNotFound, `${method} is not offered: this client calls tools and nothing else.`);
  };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => needs.onToolsChanged());
  const closed = () => {
    if (isClosed) return;
    isClosed = true;
    needs.onClosed();
  };
  client.onclose = closed;
  client.onerror = () => {};

  const kill = () => {
    if (stdio) stdio.kill();
    else void client.close();
  };

  const transport = stdio ? announcing(stdio, needs.onStarted) : (http as Transport);
  const deadline = setTimeout(kill, timeoutMs);
  try {
    await client.connect(transport, { timeout: timeoutMs });
  } catch (error) {
    kill();
    throw notStarted(error, stdio);
  } finally {
    clearTimeout(deadline);
  }
  if (client.getServerVersion()?.name === 'agent-runtime-mcp') {
    kill();
    throw new CallFailure('not_started', 'it is this runtime itself, which is not a server of its own');
  }

  async function request<Result>(
    method: string,
    params: JsonObject,
    schema: z.ZodType<Result>,
    { timeoutMs: limitMs, signal, onProgress }: Pick<CallOptions, 'timeoutMs'> & Partial<CallOptions>,
  ): Promise<Result> {
    if (isClosed) throw new CallFailure('not_sent', 'the connection had ended');
    const startedAt = performance.now();
    try {
      return await client.request({ method, params }, schema, {
        timeout: limitMs,
        ...(signal && { signal }),
        // Asking for it makes a short call half as long again, so only for those who listen.
        ...(onProgress && { onprogress: (progress) => onProgress(describeProgress(progress)) }),
      });
    } catch (error) {
      if (signal?.aborted) throw new CallFailure('cancelled', 'cancelled by its caller', { cause: error });
      // A server may use the number of a timeout for errors of its own; those come before the time is over.
      if (isTimeout(error) && performance.now() - startedAt >= limitMs - 1) {
        throw new CallFailure('timeout', `no answer within ${limitMs} ms`, { cause: error });
      }
      // The server has forgotten this session and done nothing; only a new one is of use (MCP spec, Streamable HTTP).
      const failure = toFailure(error, isClosed);
      if (isSessionLost(error)) void client.close();
      // Its pipe breaks before the system tells of its end: who asks again now must not be given this one.
      if (stdio && failure.kind === 'not_sent') {
        stdio.kill();
        closed();
      }
      throw failure;
    }
  }

  async function listTools(limitMs: number): Promise<ToolDescription[]> {
    const found: unknown[] = [];
    if (!client.getServerCapabilities()?.tools) return [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await request('tools/list', cursor === undefined ? {} : { cursor }, toolPage, {
        timeoutMs: limitMs,
      });
      found.push(...page.tools);
      cursor = page.nextCursor;
      if (cursor !== undefined && seen.has(cursor)) break;
      seen.add(cursor ?? '');
    } while (cursor !== undefined && found.length < mostTools);
    return parseTools(found.slice(0, mostTools));
  }

  return {
    get pid() {
      return stdio?.pid;
    },
    isOpen: () => !isClosed,
    call: async (name, args, options) =>
      (await request('tools/call', { name, arguments: args }, toolAnswer, options)) as ToolAnswer,

    async check(limitMs) {
      if (knowsPing) {
        try {
          await request('ping', {}, EmptyResultSchema, { timeoutMs: limitMs });
          return;
        } catch (error) {
          if (!(error instanceof CallFailure && error.kind === 'wrong_call')) throw error;
          knowsPing = false;
        }
      }
      await request('tools/list', {}, toolPage, { timeoutMs: limitMs });
    },

    listTools,
    stderrTail: () => stdio?.stderrTail() ?? '',
    async close() {
      if (http) await Promise.race([http.terminateSession().catch(() => {}), pause(500)]);
      await client.close();
    },
    kill,
  };
}

/** More are of no use to anyone, and a server that lies must not fill the memory. */
const mostTools = 10_000;

const toolPage = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

function createHttpTransport(url: URL, headers: Readonly<Record<string, string>>): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { ...headers } },
    fetch: limitedFetch(longestMessageBytes),
  });
}

/** Tells of the process before the first message is sent to it. */
function announcing(transport: StdioTransport, onStarted: (pid: number) => void): Transport {
  const { start } = transport;
  transport.start = async () => {
    await start();
    if (transport.pid !== undefined) onStarted(transport.pid);
  };
  return transport;
}

function describeProgress({
  progress,
  total,
  message,
}: {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}): string {
  const share = total === undefined ? String(progress) : `${progress} of ${total}`;
  return message === undefined ? share : `${share}: ${message}`;
}

function notStarted(error: unknown, stdio: StdioTransport | undefined): CallFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const reasons: Record<string, string> = {
    ENOENT: 'its command was not found',
    EACCES: 'its command may not be executed',
    [String(ErrorCode.ConnectionClosed)]: 'it ended, or took more than its time, before it was ready',
    [String(ErrorCode.RequestTimeout)]: 'it did not answer initialize in time',
  };
  const reason = (code && reasons[code]) ?? toFailure(error, false).message;
  return new CallFailure('not_started', reason, { detail: stdio?.stderrTail() || messageOf(error), cause: error });
}

const notProtocol = 'its answer is not what the protocol says';

const callersFaults = new Set<number>([
  ErrorCode.InvalidParams,
  ErrorCode.MethodNotFound,
  ErrorCode.InvalidRequest,
  ErrorCode.ParseError,
]);

/** Why a request failed; what the server itself said stands in `detail`. */
function toFailure(error: unknown, isClosed: boolean): CallFailure {
  if (error instanceof CallFailure) return error;
  const detail = messageOf(error);
  const more = { detail, cause: error };
  if (error instanceof McpError) {
    if (error.code === tooLargeCode) return new CallFailure('too_large', tooLarge(error.data), more);
    if (error.code === malformedCode) return new CallFailure('malformed', notProtocol, more);
    if (isClosed) return new CallFailure('lost', 'the connection was lost before it answered', more);
    const kind = callersFaults.has(error.code) ? 'wrong_call' : 'server_error';
    return new CallFailure(kind, `it answered with error ${error.code}`, more);
  }
  if (error instanceof StreamableHTTPError) return ofStatus(error.code ?? 0, isSessionLost(error), more);
  if (isClosed) return new CallFailure('lost', 'the connection was lost before it answered', more);
  const networkCode = systemCode(error);
  if (networkCode === 'BODY_TOO_LARGE') return new CallFailure('too_large', tooLarge(undefined), more);
  if (wasNeverSent(error)) {
    return new CallFailure('not_sent', `it could not be reached (${networkCode})`, more);
  }
  if (networkCode !== undefined || (error instanceof TypeError && detail === 'fetch failed')) {
    return new CallFailure('lost', `the connection was lost (${networkCode ?? 'network'})`, more);
  }
  return new CallFailure('malformed', notProtocol, more);
}

function ofStatus(status: number, isLostSession: boolean, more: { detail: string; cause: unknown }): CallFailure {
  if (isLostSession) return new CallFailure('not_sent', 'it had forgotten the session', more);
  if (status >= 500) return new CallFailure('server_error', `it answered with HTTP ${status}`, more);
  if (status >= 300) return new CallFailure('rejected', `it refused with HTTP ${status}`, more);
  return new CallFailure('malformed', notProtocol, more);
}

function isTimeout(error: unknown): boolean {
  return error instanceof McpError && error.code === ErrorCode.RequestTimeout;
}

function isSessionLost(error: unknown): boolean {
  return error instanceof StreamableHTTPError && error.code === 404;
}

function tooLarge(data: unknown): string {
  const bytes = typeof data === 'object' && data !== null && 'bytes' in data ? Number(data.bytes) : undefined;
  const size = bytes === undefined ? 'more' : `${(bytes / 1024 / 1024).toFixed(1)} MB, more`;
  return `its answer has ${size} than the ${longestMessageBytes / 1024 / 1024} MB that are taken in`;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
