import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallToolResult,
  CallToolResultSchema,
  type Implementation,
  type Progress,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js';
import type { Config } from '../../base/config.js';
import { RuntimeError, reportError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { Log } from '../../base/log.js';
import { readLocalToken } from '../../base/private-files.js';
import { toErrorResult } from '../call-tool.js';
import { calledTool } from '../called-tool.js';
import { ClientProject, workingProject } from '../client-project.js';
import type { Exchange } from '../exchange.js';
import { instructionsFor } from '../instructions.js';
import { refuseCursor } from '../no-cursor.js';
import type { Service } from '../service.js';
import { createToolSurfaces, type ToolSurfaces } from '../tool-surface.js';
import { createRemoteConnection, type RemoteConnection, RemoteFailure } from './connection.js';
import { clientHeader, conversationHeader, projectHeader } from './headers.js';

/** What serves the client at stdin and stdout over the runtime at another address. */
export function openRemote(
  config: Config,
  { url, token }: NonNullable<Config['remote']>,
  log: Log,
): { service: Service; project: ClientProject; close(): void } {
  let directory = config.project || workingProject(config.home);
  // The server may restart, and is to know us again.
  const who = config.clientSessionId
    ? { [conversationHeader]: config.clientSessionId }
    : { [clientHeader]: newShortId() };
  const toolListeners = new Set<() => void>();
  const connection = createRemoteConnection({
    url,
    onToolsChanged() {
      for (const tell of toolListeners) tell();
    },
    // Whoever can read the file on this machine is its owner there too. The first server there writes it.
    token: () => token ?? (isLoopback(url) ? readLocalToken(config.dataDir) : undefined),
    get headers() {
      // A path may hold what a header may not.
      return { ...who, [projectHeader]: encodeURIComponent(directory) };
    },
  });
  const project = new ClientProject({
    given: config.project,
    otherwise: directory,
    log,
    onChange(named) {
      if (named === directory) return;
      directory = named;
      // The next call connects anew, and says so.
      void connection.close();
    },
  });
  const surfaces = createToolSurfaces(config);
  const service = createRemoteService({
    url,
    connection,
    toolListeners,
    surfaces,
    isReadOnly: config.isReadOnly,
    project,
  });
  return { service, project, close: () => void connection.close() };
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}

interface RemoteServiceNeeds {
  url: string;
  connection: RemoteConnection;
  /** Told when the list of tools there may be another one. */
  toolListeners: Set<() => void>;
  surfaces: ToolSurfaces;
  isReadOnly: boolean;
  project: ClientProject;
}

/** A tool call may wait 50 s by its own rule; this is beyond it. */
const callMs = 90_000;

/** How long a call that was surely not carried out is tried again: a server needs some seconds to restart. */
const patienceMs = 8_000;
const retryMs = 400;

/**
 * A service that has nothing of its own: it hands every call to the runtime at another address, over Streamable HTTP, and
 * hands back results, errors and progress as they are.
 */
function createRemoteService(needs: RemoteServiceNeeds): Service {
  const { url, connection, toolListeners, surfaces, isReadOnly, project } = needs;
  /** As they were last listed there. */
  let known: Tool[] | undefined;

  /** Our own tools are what the remote one has too, when it cannot be asked. */
  async function listTools(client?: Implementation): Promise<Tool[]> {
    try {
      const { tools } = await connection.use((remote) => remote.listTools());
      known = tools;
    } catch (error) {
      if (!(error instanceof RemoteFailure) && !(error instanceof RuntimeError)) throw error;
    }
    const tools = known ?? (await surfaces.for(client, isReadOnly)).descriptions();
    const offered = await surfaces.offered(client, isReadOnly);
    // Tools of other servers are there because the user has said so, whatever is chosen of our own.
    const isOther = (name: string) => !isReadOnly && name.includes('__');
    return offered ? tools.filter(({ name }) => offered.has(name) || isOther(name)) : tools;
  }

  /** Whether a call that broke off may be made again without harm. */
  async function isRepeatable(name: string): Promise<boolean> {
    const tools = known ?? (await surfaces.for(undefined, isReadOnly)).descriptions();
    return tools.find((tool) => tool.name === name)?.annotations?.readOnlyHint === true;
  }

  async function callTool(given: unknown, exchange: Exchange): Promise<CallToolResult> {
    const params = calledTool(given);
    await project.settle(exchange);
    const { signal, progressToken } = exchange;
    const onprogress = (progress: Progress) => {
      exchange.notify('notifications/progress', { ...progress, progressToken });
    };
    const options = {
      signal,
      timeout: callMs,
      resetTimeoutOnProgress: true,
      ...(progressToken === undefined ? {} : { onprogress }),
    };
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      try {
        return await connection.use((client) =>
          client.request({ method: 'tools/call', params }, CallToolResultSchema, options),
        );
      } catch (error) {
        if (error instanceof RuntimeError) return toErrorResult(reportError(error));
        if (!(error instanceof RemoteFailure) || signal.aborted) throw error;
        const mayRepeat = error.isPassing && (!error.mayHaveHappened || (await isRepeatable(params.name)));
        if (!mayRepeat || performance.now() > giveUpAt)
          return toErrorResult(reportError(explain(url, error, params.name)));
        await sleep(retryMs);
      }
    }
  }

  return {
    capabilities: { tools: { listChanged: true } },
    instructions: async (client) => instructionsFor(await surfaces.offered(client, isReadOnly)),
    handlers: {
      'tools/list': async (params, { peer }) => {
        refuseCursor('tools/list', params);
        await project.answered();
        return { tools: await listTools(peer.info) };
      },
      'tools/call': callTool,
    },
    followTools(publish) {
      toolListeners.add(publish);
      return () => toolListeners.delete(publish);
    },
  };
}

function explain(url: string, failure: RemoteFailure, tool: string): RuntimeError {
  const cause = { cause: failure };
  if (failure.mayHaveHappened) {
    return new RuntimeError(
      'unavailable',
      `The runtime at ${url} was lost in the middle of ${tool} (${failure.message}): it may have been carried out.`,
      'Look with runtime_status or get_events before you repeat it.',
      cause,
    );
  }
  return new RuntimeError(
    'unavailable',
    `The runtime at ${url} cannot be reached: ${failure.message}. Nothing was done.`,
    'Check that `agent-runtime serve --http` runs there, that AGENT_RUNTIME_URL names it, and that no firewall is between.',
    cause,
  );
}
