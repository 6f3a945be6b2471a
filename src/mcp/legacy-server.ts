import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Exchange } from './exchange.js';
import { ProtocolServer } from './protocol-server.js';
import type { ResourceChanges } from './resource-changes.js';
import { uriToFollow } from './resources.js';
import { answer, type Service, serverInfo } from './service.js';

/** Serves the protocol as it was until 2025-11-25: a client initializes a session, and the server tells it of changes. */
export function createLegacyServer(service: Service): Server {
  // The low-level class, because the tools declare themselves: the high-level one builds its schemas again for every
  // list, and does not say which argument is unknown.
  const server = new ProtocolServer(serverInfo, { capabilities: service.capabilities });
  server.instructionsFor = service.instructions;
  const subscriptions = service.follow ? createSubscriptions(server, service.follow) : undefined;
  let endTools: (() => void) | undefined;
  let endPrompts: (() => void) | undefined;
  server.onclose = () => {
    subscriptions?.stop();
    endTools?.();
    endPrompts?.();
  };
  const handlers = { ...service.handlers, ...subscriptions?.handlers };

  // Requests are handled here and not by setRequestHandler: with that the SDK would check each one twice and each
  // result once more against its schemas, a third of what a short call takes. Tools check their own arguments.
  server.fallbackRequestHandler = async ({ method, params }, extra) => {
    if (method === 'resources/list') subscriptions?.listIsKnown();
    // From here on the client is told when the list changes.
    if (method === 'tools/list') {
      endTools ??= service.followTools?.(() => void server.sendToolListChanged().catch(() => {}));
    }
    if (method === 'prompts/list') {
      endPrompts ??= service.followPrompts?.(() => void server.sendPromptListChanged().catch(() => {}));
    }
    return (await answer({ handlers }, method, params, exchangeOf(server, extra))) as Record<string, unknown>;
  };
  return server;
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

function exchangeOf(server: Server, { _meta, signal, sendNotification, sendRequest }: Extra): Exchange {
  return {
    peer: { info: server.getClientVersion(), capabilities: server.getClientCapabilities() },
    signal,
    progressToken: _meta?.progressToken,
    notify(method, params) {
      sendNotification({ method, params } as ServerNotification).catch(() => {});
    },
    log(entry) {
      server.sendLoggingMessage(entry).catch(() => {});
    },
    ask: (question, limitMs) => sendRequest(question as ServerRequest, z.looseObject({}), { signal, timeout: limitMs }),
  };
}

/** What a client follows by `resources/subscribe`, and whether it knows the list of resources. */
function createSubscriptions(server: Server, follow: NonNullable<Service['follow']>) {
  const followed = new Set<string>();
  let isListKnown = false;
  let following: Promise<() => void> | undefined;

  function tell({ uris, isListChanged }: ResourceChanges): void {
    for (const uri of followed) if (uris.has(uri)) server.sendResourceUpdated({ uri }).catch(() => {});
    if (isListKnown && isListChanged) server.sendResourceListChanged().catch(() => {});
  }

  async function start(): Promise<void> {
    following ??= follow(tell);
    try {
      await following;
    } catch (error) {
      following = undefined;
      throw error;
    }
  }

  function stop(): void {
    following?.then((end) => end()).catch(() => {});
    following = undefined;
  }

  return {
    stop,
    /** From here on the client is told when the list changes. */
    listIsKnown(): void {
      isListKnown = true;
      start().catch(() => {});
    },
    handlers: {
      'resources/subscribe': async (params: unknown) => {
        const uri = uriToFollow('resources/subscribe', params);
        await start();
        followed.add(uri);
        return {};
      },
      'resources/unsubscribe': (params: unknown) => {
        followed.delete(uriToFollow('resources/unsubscribe', params));
        if (followed.size === 0 && !isListKnown) stop();
        return {};
      },
    },
  };
}
