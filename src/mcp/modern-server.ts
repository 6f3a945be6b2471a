import { type JSONRPCRequest, Server, type ServerContext } from '@modelcontextprotocol/server';
import { peerOf, type Rounds } from './modern-rounds.js';
import { answer, type Service, serverInfo, shortServerInfo } from './service.js';

export interface ModernServerNeeds {
  service: Service;
  rounds: Rounds;
  /** Who may go on with a request that was answered with a question. */
  caller: string;
  /** Of the one request that it will answer, if there is only one. */
  method?: string | undefined;
}

/** Serves protocol 2026-07-28, in which every request says who sends it and there is no session. */
export function createModernServer({ service, rounds, caller, method }: ModernServerNeeds): Server {
  const server = new ModernServer(shortServerInfo, { capabilities: service.capabilities });
  server.service = service;
  // With handlers by method the SDK would check each request twice, and each result once more. Where the only method is
  // known and is not served, none is set: over HTTP the SDK's own refusal has the status that it must have.
  if (method !== undefined && !Object.hasOwn(service.handlers, method)) return server;
  server.fallbackRequestHandler = async ({ method, params }, context) => {
    const result = await rounds.run(caller, context, async (exchange) => answer(service, method, params, exchange));
    return result as Record<string, unknown>;
  };
  return server;
}

type DiscoverHandler = (request: JSONRPCRequest, context: ServerContext) => Promise<Record<string, unknown>>;

/** What the server is, in full and for the client that asks; the SDK's own answer is the same for all. */
class ModernServer extends Server {
  service?: Service;

  /** The SDK registers its own handlers by it, `server/discover` among them. */
  override setRequestHandler(...given: unknown[]): void {
    const [method, handler] = given as [string, DiscoverHandler];
    const answered: DiscoverHandler = async (request, context) => ({
      ...(await handler(request, context)),
      _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
      instructions: await this.service?.instructions(peerOf(context.mcpReq.envelope).info),
    });
    const registered = method === 'server/discover' ? [method, answered] : given;
    super.setRequestHandler(...(registered as Parameters<Server['setRequestHandler']>));
  }
}
