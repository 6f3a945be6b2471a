import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { type CallToolResult, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Config } from '../base/config.js';
import { type ErrorReport, RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { sharingWord } from '../base/text.js';
import { version } from '../base/version.js';
import type { Runtime, Session } from '../runtime.js';
import type { AnyTool, ToolContext } from '../tools/call/define-tool.js';
import type { ToolChoice } from '../tools/index.js';
import { instructions } from './instructions.js';
import { servePrompts } from './prompts.js';
import { serveResources } from './resources.js';
import { samplerOf } from './sampling.js';

export interface McpServerNeeds {
  config: Config;
  log: Log;
  session: Session;
  /** Opens the runtime on first use; a failure is an answer to the call that needed it, and the next call tries again. */
  runtime(): Promise<Runtime>;
}

/**
 * The runtime's tools as an MCP server. Nothing is opened or written before a tool is called: a client may start a
 * server only to look at it. The tools themselves are imported when they are first listed or called, so that
 * `initialize` is answered at once.
 */
export function createMcpServer({ config, log, session, runtime }: McpServerNeeds): Server {
  // The declarations of this server's own tools are wanted, so the low-level class is the right one: the high-level one
  // builds its schemas again for every list, and reports unknown arguments without saying which there are.
  const server = new Server(
    { name: 'agent-runtime-mcp', title: 'Agent Runtime', version },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {} }, instructions },
  );
  let surface: Promise<Surface> | undefined;
  let opened: Runtime | undefined;
  const loadSurface = () => {
    surface ??= importSurface(config);
    return surface;
  };

  serveResources(server, { actor: session, runtime });
  servePrompts(server);
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: (await loadSurface()).descriptions() }));

  // Calls come in here and not through a handler of their own: for that the SDK would check each request twice and each
  // result once more against its schemas, a third of what a short call takes. Arguments are checked by the tool's own.
  server.fallbackRequestHandler = async (request, extra): Promise<CallToolResult> => {
    if (request.method !== 'tools/call') throw new McpError(ErrorCode.MethodNotFound, 'Method not found');
    const { name, arguments: given } = (request.params ?? {}) as { name?: unknown; arguments?: unknown };
    const { tools, callTool, toErrorResult, problem } = await loadSurface();
    const tool = tools.get(String(name));
    if (!tool) return toErrorResult(unknownTool(String(name), [...tools.keys()]));
    const progressToken = extra._meta?.progressToken;
    let beats = 0;
    const progress = (message: string) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress: ++beats, message };
      extra.sendNotification({ method: 'notifications/progress', params }).catch(() => {});
    };
    const openContext = async (): Promise<ToolContext> => {
      if (problem) throw problem;
      opened = await runtime();
      opened.requireSound();
      return {
        runtime: opened,
        actor: session,
        sessionId: session.id,
        signal: extra.signal,
        progress,
        isWatched: progressToken !== undefined,
        sample: samplerOf(server, extra.signal),
      };
    };
    const count = (name: string, status: string) => {
      opened?.metrics.countToolCall(name, status);
      // A client that shows its server's log should not need to look for it on disk.
      if (status === 'internal') void server.sendLoggingMessage({ level: 'error', logger: name, data: 'tool failed' });
    };
    return callTool(tool, given, { openContext, count, log });
  };

  return server;
}

async function importSurface(config: Config) {
  const [{ chooseTools }, { describeTool }, { callTool, toErrorResult }] = await Promise.all([
    import('../tools/index.js'),
    import('./describe-tool.js'),
    import('./call-tool.js'),
  ]);
  const { chosen, problem } = chooseOrExplain(chooseTools, config);
  let described: ReturnType<typeof describeTool>[] | undefined;
  return {
    tools: new Map(chosen.map((tool) => [tool.name, tool])),
    problem,
    callTool,
    toErrorResult,
    descriptions() {
      described ??= chosen.map(describeTool);
      return described;
    },
  };
}

/** With a toolset that does not exist all are listed, and every call says what is wrong. */
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

type Surface = Awaited<ReturnType<typeof importSurface>>;

/** An answer as any other failure, so that the model sees it: a protocol error is shown by few clients. */
function unknownTool(name: string, known: readonly string[]): ErrorReport {
  const near = sharingWord(name, known);
  return {
    code: 'not_found',
    message: `There is no tool ${JSON.stringify(name)} here.`,
    hint: near.length > 0 ? `Near: ${near.join(', ')}.` : 'tools/list names those there are.',
  };
}
