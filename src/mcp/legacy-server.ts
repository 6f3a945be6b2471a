import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
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
  server.handlers = {
    ...service.handlers,
    ...subscriptions?.handlers,
    'resources/list': (params, exchange) => {
      subscriptions?.listIsKnown();
      return answer(service, 'resources/list', params, exchange);
    },
    // From here on the client is told when the list changes.
    'tools/list': (params, exchange) => {
      endTools ??= service.followTools?.(() => void server.sendToolListChanged().catch(() => {}));
      return answer(service, 'tools/list', params, exchange);
    },
    'prompts/list': (params, exchange) => {
      endPrompts ??= service.followPrompts?.(() => void server.sendPromptListChanged().catch(() => {}));
      return answer(service, 'prompts/list', params, exchange);
    },
  };
  return server;
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
