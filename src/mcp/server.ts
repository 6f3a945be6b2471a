import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { Config } from '../base/config.js';
import { type ErrorReport, messageOf, RuntimeError, reportError } from '../base/errors.js';
import { version } from '../base/version.js';
import type { Rights } from '../core/access/pass.js';
import type { Runtime, Session } from '../runtime.js';
import type { AnyTool, ToolContext } from '../tools/call/define-tool.js';
import type { Missing, ToolChoice } from '../tools/index.js';
import { instructions } from './instructions.js';
import { servePrompts } from './prompts.js';
import { ProtocolServer } from './protocol-server.js';
import { serveResources } from './resources.js';

export interface McpServerNeeds {
  config: Config;
  session: Session;
  /** Of a client that has come over HTTP; one on this machine has the owner's. */
  rights?: Rights | undefined;
  /** Opens the runtime on first use. A failure answers the call that needed it, and the next call tries again. */
  runtime(): Promise<Runtime>;
}

/**
 * The runtime's tools as an MCP server. Nothing is opened or written before a tool is called: a client may start a
 * server only to look at it. The tools themselves are imported when they are first listed or called, so that
 * `initialize` is answered at once.
 */
export function createMcpServer({ config, session, rights, runtime }: McpServerNeeds): Server {
  // The low-level class, because the tools declare themselves: the high-level one builds its schemas again for every
  // list, and does not say which argument is unknown.
  const server = new ProtocolServer(
    { name: 'agent-runtime-mcp', title: 'Agent Runtime', version },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {} }, instructions },
  );
  let surface: Promise<Surface> | undefined;
  const loadSurface = () => {
    surface ??= importSurface(config).catch((error: unknown) => {
      surface = undefined;
      const { message, hint } = reportError(error);
      throw new McpError(ErrorCode.InternalError, `The tools cannot be loaded: ${message}. ${hint}`);
    });
    return surface;
  };

  serveResources(server, { actor: session, rights, runtime });
  servePrompts(server);
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: (await loadSurface()).descriptions() }));

  // Calls are handled here and not by setRequestHandler: with that the SDK would check each request twice and each
  // result once more against its schemas, a third of what a short call takes. Tools check their own arguments.
  server.fallbackRequestHandler = async (request, extra): Promise<CallToolResult> => {
    if (request.method !== 'tools/call') throw new McpError(ErrorCode.MethodNotFound, 'Method not found');
    const { name, arguments: given } = (request.params ?? {}) as { name?: unknown; arguments?: unknown };
    const { tools, missing, callTool, contextOf, toErrorResult, problem } = await loadSurface();
    const tool = tools.get(String(name));
    if (!tool) return toErrorResult(explainMissing(String(name), missing(String(name)), { ...config, rights }));
    const openContext = async () => {
      if (problem) throw problem;
      return contextOf(await runtime(), session, {
        sessionId: session.id,
        ...(rights ? { rights } : {}),
        ...faceOf(server, extra),
      });
    };
    // A client that shows its server's log should not need to look for it on disk.
    const onDefect = () => void server.sendLoggingMessage({ level: 'error', logger: tool.name, data: 'tool failed' });
    return callTool(tool, given, { openContext, onDefect });
  };

  return server;
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** What a tool can do through this client: report progress, be cancelled, ask the client's own model. */
function faceOf(server: Server, { _meta, signal, sendNotification }: Extra): Partial<ToolContext> {
  const progressToken = _meta?.progressToken;
  let count = 0;
  return {
    signal,
    isWatched: progressToken !== undefined,
    progress(message) {
      if (progressToken === undefined) return;
      const params = { progressToken, progress: ++count, message };
      sendNotification({ method: 'notifications/progress', params }).catch(() => {});
    },
    sample: samplerOf(server, signal),
  };
}

const longestSampleTokens = 4_096;
const longestSampleMs = 45_000;

/** Asks the client's own model, if the client has said that servers may (MCP spec 2025-11-25, sampling). */
function samplerOf(server: Server, signal: AbortSignal): ToolContext['sample'] {
  if (!server.getClientCapabilities()?.sampling) return undefined;
  return async (prompt) => {
    try {
      const answer = await server.createMessage(
        { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: longestSampleTokens },
        { signal, timeout: longestSampleMs },
      );
      const parts = Array.isArray(answer.content) ? answer.content : [answer.content];
      return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    } catch (error) {
      const message = `The client's model gave no answer: ${messageOf(error)}`;
      throw new RuntimeError('unavailable', message, undefined, { cause: error });
    }
  };
}

async function importSurface(config: Config) {
  const [{ chooseTools, whyMissing }, { contextOf }, { callTool, describeTool, toErrorResult }] = await Promise.all([
    import('../tools/index.js'),
    import('../tools/call/run-tool.js'),
    import('./call-tool.js'),
  ]);
  const { chosen, problem } = chooseOrExplain(chooseTools, config);
  let described: ReturnType<typeof describeTool>[] | undefined;
  return {
    tools: new Map(chosen.map((tool) => [tool.name, tool])),
    problem,
    missing: (name: string) => whyMissing(name, problem ? { ...config, toolsets: 'all' } : config),
    callTool,
    contextOf,
    toErrorResult,
    descriptions() {
      described ??= chosen.map(describeTool);
      return described;
    },
  };
}

type Surface = Awaited<ReturnType<typeof importSurface>>;

/** If a chosen toolset does not exist, all tools are listed, and every call says what is wrong. */
function chooseOrExplain(
  choose: (config: ToolChoice) => AnyTool[],
  wanted: ToolChoice,
): { chosen: AnyTool[]; problem?: Error } {
  try {
    return { chosen: choose(wanted) };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { chosen: choose({ toolsets: 'all', isReadOnly: wanted.isReadOnly }), problem: error };
  }
}

/** A tool that is not offered is answered as any other failure, so that the model sees it: few clients show a protocol error. */
function explainMissing(
  given: string,
  missing: Missing,
  { toolsets, rights }: ToolChoice & { rights: Rights | undefined },
): ErrorReport {
  switch (missing.why) {
    case 'read_only':
      return {
        code: 'not_found',
        message: `This server is read-only, and ${missing.name} changes data: it is left out.`,
        hint:
          rights && rights.tokenId !== 'owner'
            ? 'Ask the user for a token that was made without --read-only, if you are to change anything.'
            : 'Ask the user to unset AGENT_RUNTIME_READ_ONLY for this server, if it is to change anything.',
      };
    case 'not_chosen':
      return {
        code: 'not_found',
        message: `${missing.name} is left out of this server, which offers the toolsets ${JSON.stringify(toolsets)}.`,
        hint: 'Ask the user to set AGENT_RUNTIME_TOOLSETS of this server to all.',
      };
    case 'unknown': {
      const { similar } = missing;
      return {
        code: 'not_found',
        message: `There is no tool ${JSON.stringify(given)} here.`,
        hint: similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'tools/list names all tools.',
      };
    }
  }
}
