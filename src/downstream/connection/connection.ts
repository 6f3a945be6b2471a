import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  EmptyResultSchema,
  ErrorCode,
  McpError,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { messageOf } from '../../base/errors.js';
import { isObject, type JsonObject } from '../../base/json.js';
import { systemCode, wasNeverSent } from '../../base/network-error.js';
import { version } from '../../base/version.js';
import { CallFailure, notProtocol } from './call-failure.js';
import { createHttpTransport, failureOfStatus, isSessionLost, isStreamLost } from './http-transport.js';
import { KeeperTransport } from './keeper-transport.js';
import { type Launch, mayNeedLogin, type SharedLaunch } from './launch.js';
import { bodyTooLarge, limitedFetch } from './limited-fetch.js';
import { Authorization } from './oauth/authorization.js';
import { LoginFile } from './oauth/login-file.js';
import { longestMessageBytes, malformedCode, notSentCode, StdioTransport, tooLargeCode } from './stdio-transport.js';
import { parseTools, type ToolAnswer, type ToolDescription, toolAnswer } from './tool-description.js';
import type { Watchdog } from './watchdog.js';

export interface CallOptions {
  timeoutMs: number;
  signal: AbortSignal;
  onProgress?: ((message: string) => void) | undefined;
}

/** What a server lists besides its tools, by the name of the list. */
export const listKinds = {
  resources: { method: 'resources/list', capability: 'resources' },
  resourceTemplates: { method: 'resources/templates/list', capability: 'resources' },
  prompts: { method: 'prompts/list', capability: 'prompts' },
} as const;

export type ListKind = keyof typeof listKinds;

/** One connection to one server, from `initialize` to its end. It is never reopened. */
export interface Connection {
  /** Of its process; undefined for a web server. */
  readonly pid: number | undefined;
  isOpen(): boolean;
  /** Calls a tool. Throws CallFailure. */
  call(tool: string, args: JsonObject, options: CallOptions): Promise<ToolAnswer>;
  /** Checks that it answers: by a ping, or by `tools/list` if it does not know ping. Throws CallFailure. */
  check(timeoutMs: number): Promise<void>;
  /** All pages of its list. Throws CallFailure. */
  listTools(timeoutMs: number): Promise<ToolDescription[]>;
  /** All pages of another list; empty for a server that says it has none. Throws CallFailure. */
  list(kind: ListKind, options: CallOptions): Promise<JsonObject[]>;
  /** Sends any other request. Throws CallFailure. */
  ask(method: string, params: JsonObject, options: CallOptions): Promise<JsonObject>;
  /** How its process ended by itself, in words; undefined for a web server, and if it was ended from here. */
  exit(): string | undefined;
  /** The last lines that its process wrote to stderr. */
  stderrTail(): string;
  /** Asks it to end, and kills it if it does not. */
  close(): Promise<void>;
  kill(): void;
  /** As `kill`, because it does not seem to work. What it shares with other sessions ends only if it does not. */
  discard(): void;
}

export interface ConnectionNeeds {
  /** Its name in the config file. */
  server: string;
  launch: Launch | SharedLaunch;
  /** Where logins are kept. */
  dataDir: string;
  /** Milliseconds since 1970. */
  now(): number;
  watchdog: Watchdog;
  /** For its start up to the answer to `initialize`. */
  timeoutMs: number;
  /** Called once, whichever side ended it. */
  onClosed(): void;
  onToolsChanged(): void;
  /** Of the resources, their templates included, or of the prompts. */
  onListChanged(list: 'resources' | 'prompts'): void;
  /** Called with the process id as soon as there is a process of this session's own. */
  onStarted(pid: number): void;
}

/** Starts or reaches a server and initializes it. Throws CallFailure `not_started`. */
export async function openConnection(needs: ConnectionNeeds): Promise<Connection> {
  const connection = new McpConnection(needs);
  await connection.open(needs.timeoutMs);
  return connection;
}

/** A larger list is of no use, and a server must not be able to fill the memory. */
const mostListed = 10_000;

const listPage = (key: string) => z.looseObject({ [key]: z.array(z.unknown()), nextCursor: z.string().optional() });

type RequestOptions = Pick<CallOptions, 'timeoutMs'> & Partial<CallOptions>;

class McpConnection implements Connection {
  readonly #client = new Client({ name: 'agent-runtime-mcp', title: 'Agent Runtime', version });
  /** Exactly one of these two is set. */
  readonly #stdio: StdioTransport | KeeperTransport | undefined;
  readonly #http: ReturnType<typeof createHttpTransport> | undefined;
  readonly #authorization: Authorization | undefined;
  readonly #onClosed: () => void;
  #isClosed = false;
  #knowsPing = true;

  constructor(needs: ConnectionNeeds) {
    const { launch, watchdog, onClosed, onToolsChanged, onListChanged, onStarted } = needs;
    this.#onClosed = onClosed;
    if (launch.kind === 'stdio') this.#stdio = new StdioTransport({ launch, watchdog, onStarted });
    else if (launch.kind === 'shared') this.#stdio = new KeeperTransport(launch.keeper, launch.opening);
    else {
      this.#authorization = authorizationOf(needs);
      this.#http = createHttpTransport(launch, this.#authorization?.fetch ?? plainFetch);
    }
    // Such a request needs the caller's model or user, and neither has agreed to it.
    this.#client.fallbackRequestHandler = async ({ method }) => {
      throw new McpError(ErrorCode.MethodNotFound, `${method} is not offered: this client only calls tools.`);
    };
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, () => onToolsChanged());
    this.#client.setNotificationHandler(ResourceListChangedNotificationSchema, () => onListChanged('resources'));
    this.#client.setNotificationHandler(PromptListChangedNotificationSchema, () => onListChanged('prompts'));
    this.#client.onclose = () => this.#closed();
    this.#client.onerror = (error) => {
      if (isStreamLost(error)) void this.#client.close();
    };
  }

  async open(timeoutMs: number): Promise<void> {
    const deadline = setTimeout(() => this.discard(), timeoutMs);
    try {
      await this.#client.connect((this.#stdio ?? this.#http) as Transport, { timeout: timeoutMs });
    } catch (error) {
      // A pipe breaks before the system says how the process ended.
      if (isNotSent(error) && this.#stdio instanceof StdioTransport) await this.#stdio.ended();
      this.discard();
      throw (
        this.#authorization?.refusal ?? notStarted(error, { exit: this.exit(), said: this.stderrTail(), timeoutMs })
      );
    } finally {
      clearTimeout(deadline);
    }
    if (this.#client.getServerVersion()?.name === 'agent-runtime-mcp') {
      this.kill();
      throw new CallFailure('not_started', 'it is this runtime itself, which cannot be its own tool server');
    }
  }

  get pid(): number | undefined {
    return this.#stdio?.pid;
  }

  isOpen(): boolean {
    return !this.#isClosed;
  }

  call(name: string, args: JsonObject, options: CallOptions): Promise<ToolAnswer> {
    return this.#request('tools/call', { name, arguments: args }, toolAnswer, options) as Promise<ToolAnswer>;
  }

  async check(timeoutMs: number): Promise<void> {
    if (this.#knowsPing) {
      try {
        await this.#request('ping', {}, EmptyResultSchema, { timeoutMs });
        return;
      } catch (error) {
        if (!(error instanceof CallFailure && error.kind === 'wrong_call')) throw error;
        this.#knowsPing = false;
      }
    }
    await this.#request('tools/list', {}, listPage('tools'), { timeoutMs });
  }

  async listTools(timeoutMs: number): Promise<ToolDescription[]> {
    if (!this.#client.getServerCapabilities()?.tools) return [];
    return parseTools(await this.#pages('tools/list', 'tools', { timeoutMs }));
  }

  async list(kind: ListKind, options: CallOptions): Promise<JsonObject[]> {
    const { method, capability } = listKinds[kind];
    if (!this.#client.getServerCapabilities()?.[capability]) return [];
    return (await this.#pages(method, kind, options)).filter(isObject);
  }

  ask(method: string, params: JsonObject, options: CallOptions): Promise<JsonObject> {
    return this.#request(method, params, z.looseObject({}), options) as Promise<JsonObject>;
  }

  async #pages(method: string, key: string, options: RequestOptions): Promise<unknown[]> {
    const found: unknown[] = [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const params: JsonObject = cursor === undefined ? {} : { cursor };
      const page = await this.#request(method, params, listPage(key), options);
      found.push(...(page[key] as unknown[]));
      cursor = page.nextCursor as string | undefined;
      // A cursor that comes again would make the list endless.
      if (cursor !== undefined && seen.has(cursor)) break;
      seen.add(cursor ?? '');
    } while (cursor !== undefined && found.length < mostListed);
    return found.slice(0, mostListed);
  }

  exit(): string | undefined {
    return this.#stdio?.exit;
  }

  stderrTail(): string {
    return this.#stdio?.stderrTail() ?? '';
  }

  async close(): Promise<void> {
    if (this.#http && 'terminateSession' in this.#http) {
      await Promise.race([this.#http.terminateSession().catch(() => {}), pause(500)]);
    }
    await this.#client.close();
  }

  discard(): void {
    if (this.#stdio instanceof KeeperTransport) this.#stdio.doubt();
    else this.kill();
  }

  kill(): void {
    if (this.#stdio) this.#stdio.kill();
    else void this.#client.close();
  }

  async #request<Result>(
    method: string,
    params: JsonObject,
    schema: z.ZodType<Result>,
    { timeoutMs, signal, onProgress }: RequestOptions,
  ): Promise<Result> {
    if (this.#isClosed) throw new CallFailure('not_sent', 'the connection had ended');
    const startedAt = performance.now();
    try {
      return await this.#client.request({ method, params }, schema, {
        timeout: timeoutMs,
        ...(signal && { signal }),
        // Asking for progress makes a short call half as long again, so it is asked for only if somebody listens.
        ...(onProgress && { onprogress: (progress) => onProgress(describeProgress(progress)) }),
      });
    } catch (error) {
      if (signal?.aborted) throw new CallFailure('cancelled', 'cancelled by its caller', { cause: error });
      // A server may use the code of a timeout for errors of its own, but those come before the time is over.
      if (isTimeout(error) && performance.now() - startedAt >= timeoutMs - 1) {
        throw new CallFailure('timeout', `no answer within ${timeoutMs} ms`, { cause: error });
      }
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): CallFailure {
    const failure = this.#redacted(toFailure(error, this.#isClosed));
    // The server has forgotten this session and done nothing; only a new session helps (MCP spec, Streamable HTTP).
    if (isSessionLost(error)) void this.#client.close();
    // The pipe breaks before the system reports the end of the process: the next caller must not be given this one.
    if (this.#stdio && failure.kind === 'not_sent') {
      this.discard();
      this.#closed();
    }
    return failure;
  }

  /** A server may give back what it was sent. */
  #redacted(failure: CallFailure): CallFailure {
    const { kind, message, detail, waitMs, cause } = failure;
    if (!this.#authorization || detail === undefined) return failure;
    return new CallFailure(kind, message, { detail: this.#authorization.redact(detail), waitMs, cause });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClosed();
  }
}

const plainFetch = limitedFetch(longestMessageBytes);

function authorizationOf({ server, launch, dataDir, now }: ConnectionNeeds): Authorization | undefined {
  if (!mayNeedLogin(launch)) return undefined;
  const login = new LoginFile({ dataDir, server, url: launch.url });
  return new Authorization({ login, oauth: launch.oauth, now, fetch: plainFetch });
}

function describeProgress(given: { progress: number; total?: number | undefined; message?: string | undefined }) {
  const { progress, total, message } = given;
  const share = total === undefined ? String(progress) : `${progress} of ${total}`;
  return message === undefined ? share : `${share}: ${message}`;
}

interface Ending {
  exit: string | undefined;
  said: string;
  timeoutMs: number;
}

function notStarted(error: unknown, { exit, said, timeoutMs }: Ending): CallFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const late = `it was not ready within ${timeoutMs / 1_000} s`;
  const reasons: Record<string, string> = {
    ENOENT: 'its command was not found',
    EACCES: 'its command may not be executed',
    [String(ErrorCode.ConnectionClosed)]: exit === undefined ? late : `${exit} before it was ready`,
    [String(ErrorCode.RequestTimeout)]: late,
  };
  const known = code === undefined ? undefined : reasons[code];
  const reason = isNotSent(error) && exit !== undefined ? `${exit} before it was ready` : known;
  // Of what failed on this side there is nothing of the server's own to tell.
  const isOwn = reason !== undefined || isNotSent(error) || isFetchFailed(error);
  const detail = said || (isOwn ? undefined : messageOf(error));
  return new CallFailure('not_started', reason ?? toFailure(error, false).message, { detail, cause: error });
}

const isNotSent = (error: unknown): boolean => error instanceof CallFailure && error.kind === 'not_sent';

const isFetchFailed = (error: unknown): boolean => error instanceof TypeError && error.message === 'fetch failed';

/** Codes that blame the call and not the server. */
const callersFaults = new Set<number>([
  ErrorCode.InvalidParams,
  ErrorCode.MethodNotFound,
  ErrorCode.InvalidRequest,
  ErrorCode.ParseError,
]);

/** Why a request failed. The server's own words are in `detail`. */
function toFailure(error: unknown, isClosed: boolean): CallFailure {
  if (error instanceof CallFailure) return error;
  const detail = messageOf(error);
  const more = { detail, cause: error };
  if (error instanceof McpError) {
    if (error.code === tooLargeCode) return new CallFailure('too_large', tooLarge(error.data), more);
    if (error.code === notSentCode) return new CallFailure('not_sent', 'the process had ended', more);
    if (error.code === malformedCode) return new CallFailure('malformed', notProtocol, more);
    if (isClosed) return new CallFailure('lost', 'the connection was lost before it answered', more);
    const kind = callersFaults.has(error.code) ? 'wrong_call' : 'server_error';
    return new CallFailure(kind, `it answered with error ${error.code}`, more);
  }
  const status = failureOfStatus(error, more);
  if (status) return status;
  if (isClosed) return new CallFailure('lost', 'the connection was lost before it answered', more);
  const code = systemCode(error);
  if (code === bodyTooLarge) return new CallFailure('too_large', tooLarge(undefined), more);
  if (wasNeverSent(error)) return new CallFailure('not_sent', `it could not be reached (${code})`, more);
  if (code !== undefined || isFetchFailed(error)) {
    return new CallFailure('lost', `the connection was lost (${code ?? 'network'})`, more);
  }
  return new CallFailure('malformed', notProtocol, more);
}

function isTimeout(error: unknown): boolean {
  return error instanceof McpError && error.code === ErrorCode.RequestTimeout;
}

function tooLarge(data: unknown): string {
  const bytes = isObject(data) && 'bytes' in data ? Number(data.bytes) : undefined;
  const size = bytes === undefined ? 'more' : `${(bytes / 1024 / 1024).toFixed(1)} MB, more`;
  return `its answer has ${size} than the ${longestMessageBytes / 1024 / 1024} MB that are read`;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
