import type { Implementation } from '@modelcontextprotocol/sdk/types.js';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { type Log, type OpenLogOptions, openLog } from '../base/log.js';
import { showsAny } from '../base/server-settings.js';
import { defaultConfig } from '../config.js';
import { nameSession, type Session, type SessionInfo } from '../core/coordination/sessions.js';
import type { Runtime } from '../runtime.js';
import { ClientProject, workingProject } from './client-project.js';
import { serveEras } from './eras.js';
import { createRuntimeService } from './runtime-service.js';
import type { Service } from './service.js';
import { StdioTransport } from './stdio-transport.js';
import { createToolSurfaces } from './tool-surface.js';

const parentPollMs = 5_000;
const beginAgainMs = 10_000;

export interface ServeOptions extends OpenLogOptions {
  /** Answers GET /metrics on this port of 127.0.0.1. */
  metricsPort?: number | undefined;
}

/**
 * Serves MCP on stdin and stdout until the client is gone. A server that ends because of a mistake in its settings shows
 * in a client only as "failed"; so it starts all the same, and every tool answers with what is wrong.
 */
export async function serveStdio(readSettings: () => Config, options: ServeOptions = {}): Promise<void> {
  keepStdoutForProtocol();
  const { config, problem } = readOrExplain(readSettings);
  const log = openLog(config, options);
  for (const warning of config.warnings) log.warn(warning);
  const runtime = openOnce(config, log, problem);
  if (config.remote && !problem) return serveRemote(config, config.remote, log);

  const session = nameSession({
    clientSessionId: config.clientSessionId,
    project: config.project || workingProject(config.home),
  });
  const sessionStart = createSessionStart(session, runtime, log);
  const project = new ClientProject({
    given: config.project,
    otherwise: session.project,
    log,
    onChange(named) {
      if (named === session.project) return;
      session.project = named;
      sessionStart.renew();
    },
  });
  const service = createRuntimeService({
    surfaces: createToolSurfaces(config),
    actor: session,
    sessionId: session.id,
    isReadOnly: config.isReadOnly,
    async runtime() {
      await project.answered();
      return runtime.open();
    },
    exposing: {
      now: async () => runtime.opened() ?? (exposesAny(config) ? runtime.open() : undefined),
      opened: runtime.hasOpened,
    },
    settleProject: (exchange) => project.settle(exchange),
  });
  if (options.metricsPort !== undefined) {
    const { openMetricsEndpoint } = await import('./metrics-endpoint.js');
    const read = async () => (await runtime.open()).metrics.prometheus();
    openMetricsEndpoint({ port: options.metricsPort, read, log });
  }
  await serveUntilEnd(service, { begin: sessionStart.begin, project, log, close: () => runtime.opened()?.close() });
}

const exposesAny = ({ servers }: Config): boolean => Object.values(servers.used).some(showsAny);

interface OpenedOnce {
  open(): Promise<Runtime>;
  opened(): Runtime | undefined;
  /** Resolves when it is open. */
  hasOpened: Promise<Runtime>;
}

/** The runtime, opened when it is first needed; what keeps it from opening is tried again by the next call. */
function openOnce(config: Config, log: Log, problem: Error | undefined): OpenedOnce {
  let opened: Runtime | undefined;
  let opening: Promise<Runtime> | undefined;
  let tell = (_: Runtime) => {};
  const hasOpened = new Promise<Runtime>((resolve) => {
    tell = resolve;
  });
  async function open(): Promise<Runtime> {
    if (problem) throw problem;
    const { openRuntime } = await import('../runtime.js');
    opened = await openRuntime({ config, log });
    tell(opened);
    return opened;
  }
  return {
    open() {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    opened: () => opened,
    hasOpened,
  };
}

interface SessionStart {
  begin(client: Implementation | undefined): void;
  /** Writes what has become known since; nothing before it has begun. */
  renew(): void;
}

/**
 * Begins the session in the background. The runtime itself may not open yet; once it has, its heartbeats begin the
 * session if this does not.
 */
function createSessionStart(session: Session, { open, opened }: OpenedOnce, log: Log): SessionStart {
  let info: SessionInfo | undefined;
  async function begin(info: SessionInfo): Promise<void> {
    try {
      await (await open()).maintenance.beginSession(session, info);
    } catch (error) {
      log.error('the session could not begin', { error });
      if (!opened()) setTimeout(() => void begin(info), beginAgainMs).unref();
    }
  }
  return {
    begin(client) {
      info = { project: session.project, clientName: client?.name, clientVersion: client?.version };
      void begin(info);
    },
    renew() {
      if (info) void begin(info);
    },
  };
}

/** The runtime is elsewhere: nothing is opened here. */
async function serveRemote(config: Config, remote: NonNullable<Config['remote']>, log: Log): Promise<void> {
  const { openRemote } = await import('./remote/open-remote.js');
  const { service, project, close } = openRemote(config, remote, log);
  await serveUntilEnd(service, { begin() {}, project, log, close });
}

interface Connected {
  /** A client may start a server only to ask what it is; a session exists from here on. */
  begin(client: Implementation | undefined): void;
  project: ClientProject;
  log: Log;
  close(): void;
}

/** What ends the transport ends the process: a server that no longer reads would keep its claims for nobody. */
async function serveUntilEnd(service: Service, { begin, project, log, close }: Connected): Promise<void> {
  const transport = new StdioTransport();
  const onProblem = (problem: string) => log.warn('a message of the client was skipped', { problem });
  transport.onerror = (error) => onProblem(error.message);
  transport.onclose = endWithClient(close);
  await serveEras(transport, {
    async loadLegacy() {
      const { serveLegacy } = await import('./legacy-stdio.js');
      return (wire) => serveLegacy(service, wire, { project, begin });
    },
    async connectModern(wire) {
      const { serveModern } = await import('./modern-stdio.js');
      await serveModern(service, wire, log);
    },
    onModernClient: begin,
    onProblem,
  });
}

function readOrExplain(readSettings: () => Config): { config: Config; problem?: Error } {
  try {
    return { config: readSettings() };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { config: defaultConfig(), problem: error };
  }
}

/** Only JSON-RPC may appear on stdout, whatever a library prints. */
function keepStdoutForProtocol(): void {
  const toStderr = (...words: unknown[]) => process.stderr.write(`${words.map(String).join(' ')}\n`);
  Object.assign(console, { log: toStderr, info: toStderr, debug: toStderr, table: toStderr, dir: toStderr });
}

/**
 * Ends this process with its client. Clients differ: some send signals, some only close stdin (all that is left under
 * npx), some are killed and leave a pipe that breaks, or no pipe at all. `close` is synchronous, as a kill may follow
 * within half a second.
 */
function endWithClient(close: () => void): () => void {
  let hasEnded = false;
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    try {
      close();
    } finally {
      process.exit(0);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.stdin.on('end', end).on('close', end).on('error', end);
  process.stdout.on('error', end);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, parentPollMs).unref();
  return end;
}
