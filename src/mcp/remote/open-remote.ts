import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type CallToolResult,
  CallToolResultSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type Progress,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js';
import type { Config } from '../../base/config.js';
import { RuntimeError, reportError } from '../../base/errors.js';
import { readLocalToken } from '../../base/private-files.js';
import { version } from '../../base/version.js';
import { toErrorResult } from '../call-tool.js';
import { calledTool } from '../called-tool.js';
import { instructions } from '../instructions.js';
import { ProtocolServer } from '../protocol-server.js';
import { createRemoteConnection, type RemoteConnection, RemoteFailure } from './connection.js';
import { conversationHeader, projectHeader } from './headers.js';

/** A server for the client at stdin and stdout over the runtime at another address. */
export function openRemote(
  config: Config,
  { url, token }: NonNullable<Config['remote']>,
): { server: Server; close(): void } {
  const connection = createRemoteConnection({
    url,
    // Whoever can read the file on this machine is its owner there too. The first server there writes it.
    token: () => token ?? (isLoopback(url) ? readLocalToken(config.dataDir) : undefined),
    headers: {
      // A path may hold what a header may not.
      [projectHeader]: encodeURIComponent(config.project),
      ...(config.clientSessionId ? { [conversationHeader]: config.clientSessionId } : {}),
    },
  });
  const server = createRemoteServer({
    url,
    connection,
    async ownTools() {
      const [{ chooseTools }, { describeTool }] = await Promise.all([
        import('../../tools/index.js'),
        import('../call-tool.js'),
      ]);
      return chooseTools(config).map(describeTool);
    },
  });
  return { server, close: () => void connection.close() };
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}

interface RemoteServerNeeds {
  url: string;
  connection: RemoteConnection;
  /** Our own tools as they are listed: what the remote one has too, when it cannot be asked. */
  ownTools(): Promise<Tool[]>;
}

/** A tool call may wait 50 s by its own rule; this is beyond it. */
const callMs = 90_000;

/** How long a call that was surely not carried out is tried again: a server needs some seconds to restart. */
const patienceMs = 8_000;
const retryMs = 400;

/**
 * An MCP server that has nothing of its own: it hands every call to the runtime at another address, over Streamable
 * HTTP, and hands back results, errors and progress as they are.
 */
function createRemoteServer({ url, connection, ownTools }: RemoteServerNeeds): Server {
  const server = new ProtocolServer(
    { name: 'agent-runtime-mcp', title: 'Agent Runtime', version },
    { capabilities: { tools: {} }, instructions },
  );
  let known: Promise<Tool[]> | undefined;

  async function listTools(): Promise<Tool[]> {
    try {
      const { tools } = await connection.use((client) => client.listTools());
      known = Promise.resolve(tools);
      return tools;
    } catch (error) {
      if (!(error instanceof RemoteFailure) && !(error instanceof RuntimeError)) throw error;
      return known ?? ownTools();
    }
  }

  /** Whether a call that broke off may be made again without harm. */
  async function isRepeatable(name: string): Promise<boolean> {
    known ??= ownTools();
    return (await known).find((tool) => tool.name === name)?.annotations?.readOnlyHint === true;
  }

  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: await listTools() }));

  server.fallbackRequestHandler = async (request, extra): Promise<CallToolResult> => {
    if (request.method !== 'tools/call') throw new McpError(ErrorCode.MethodNotFound, 'Method not found');
    const params = { ...request.params, name: calledTool(request.params) };
    const progressToken = extra._meta?.progressToken;
    const onprogress = (progress: Progress) => {
      if (progressToken === undefined) return;
      const forwarded = { method: 'notifications/progress' as const, params: { ...progress, progressToken } };
      extra.sendNotification(forwarded).catch(() => {});
    };
    const options = {
      signal: extra.signal,
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
        if (!(error instanceof RemoteFailure) || extra.signal.aborted) throw error;
        const mayRepeat = error.isPassing && (!error.mayHaveHappened || (await isRepeatable(params.name)));
        if (!mayRepeat || performance.now() > giveUpAt)
          return toErrorResult(reportError(explain(url, error, params.name)));
        await sleep(retryMs);
      }
    }
  };

  return server;
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
