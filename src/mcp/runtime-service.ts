import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Rights } from '../core/access/pass.js';
import type { Actor } from '../core/actor.js';
import type { Runtime } from '../runtime.js';
import { calledTool } from './called-tool.js';
import { completionHandlers } from './completions.js';
import { createEventFeed, type EventFeed } from './event-feed.js';
import type { Exchange } from './exchange.js';
import { type ExposedRuntime, ExposedTools } from './exposed-tools.js';
import { faceOf } from './face.js';
import { instructionsFor } from './instructions.js';
import { refuseCursor } from './no-cursor.js';
import { OtherCatalogs } from './other-catalogs.js';
import { promptHandlers } from './prompts.js';
import { followResources } from './resource-changes.js';
import { resourceHandlers } from './resources.js';
import type { Service } from './service.js';
import type { ToolSurfaces } from './tool-surface.js';

export interface RuntimeServiceNeeds {
  surfaces: ToolSurfaces;
  /** Who calls. Its project may become known only after the client has been asked. */
  actor: Actor;
  /** The server process that keeps the caller's slots alive, if there is one. */
  sessionId?: string | undefined;
  isReadOnly: boolean;
  /** Of a client that has come over HTTP; one on this machine has the owner's. */
  rights?: Rights | undefined;
  /** Opens the runtime on first use. A failure answers the call that needed it, and the next call tries again. */
  runtime(): Promise<Runtime>;
  /** Where the tools of other servers come from that the config file puts among ours. */
  exposing: ExposedRuntime;
  /** Shared by the clients of one process; one of its own unless given. */
  feed?: EventFeed | undefined;
  /** Asks the client for the actor's project, where that is needed. */
  settleProject?(exchange: Exchange): Promise<void>;
}

/**
 * The runtime's tools, resources and prompts. Nothing is opened or written before a tool is called: a client may start a
 * server only to look at it. The tools themselves are imported when they are first listed or called, so that
 * `initialize` is answered at once.
 */
export function createRuntimeService(needs: RuntimeServiceNeeds): Service {
  const { surfaces, actor, rights, runtime, isReadOnly } = needs;
  const exposed = new ExposedTools(needs);
  const others = new OtherCatalogs(needs);

  async function callTool(params: unknown, exchange: Exchange): Promise<CallToolResult> {
    const { name, arguments: given } = calledTool(params);
    const surface = await surfaces.for(exchange.peer.info, isReadOnly);
    const { callTool, contextOf, toErrorResult } = surface.run;
    const own = surface.find(name);
    const other = own ? undefined : await exposed.find(name);
    const tool = own ?? other?.tool;
    if (!tool) return toErrorResult(surface.explainMissing(name, rights));
    const openContext = async (note: (text: string) => void) => {
      if (surface.problem) throw surface.problem;
      await needs.settleProject?.(exchange);
      const opened = await runtime();
      const face = Object.assign(faceOf(exchange), { sessionId: needs.sessionId, note }, rights && { rights });
      return contextOf(opened, actor, face);
    };
    // A client that shows its server's log should not need to look for it on disk.
    const onDefect = () => exchange.log({ level: 'error', logger: tool.name, data: 'tool failed' });
    return callTool(tool, given, { openContext, onDefect, ...(other && { show: other.show }) });
  }

  return {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
    },
    instructions: async (client) => instructionsFor(await surfaces.offered(client, isReadOnly)),
    handlers: {
      'tools/list': async (params, { peer }) => {
        refuseCursor('tools/list', params);
        const own = (await surfaces.for(peer.info, isReadOnly)).descriptions();
        return { tools: [...own, ...(await exposed.list())] };
      },
      'tools/call': callTool,
      ...resourceHandlers({ ...needs, others }),
      ...promptHandlers(others),
      ...completionHandlers({ ...needs, others }),
    },
    followTools: (publish) => exposed.follow(publish),
    followPrompts: (publish) => others.follow((list) => list === 'prompts' && publish()),
    async follow(publish) {
      const { db, log } = await runtime();
      const feed = needs.feed ?? createEventFeed({ db, log });
      const endOwn = await followResources({ db, feed, log }, publish);
      const endOthers = others.follow((list) => {
        if (list === 'resources') publish({ uris: new Set(), isListChanged: true });
      });
      return () => {
        endOthers();
        endOwn();
      };
    },
  };
}
