import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Log } from '../base/log.js';
import { Rounds } from './modern-rounds.js';
import { createModernServer } from './modern-server.js';
import { withoutUntold } from './resources.js';
import type { Service } from './service.js';

/** Serves 2026-07-28 to the one client of a transport. */
export async function serveModern(service: Service, transport: Transport, log: Log): Promise<void> {
  let server: Server | undefined;
  let following: Promise<unknown> | undefined;
  let isFollowingLists = false;
  /** The SDK sends on what the subscriptions of the client ask for, and drops the rest. */
  async function follow(): Promise<void> {
    if (!isFollowingLists) service.followTools?.(() => void server?.sendToolListChanged().catch(() => {}));
    if (!isFollowingLists) service.followPrompts?.(() => void server?.sendPromptListChanged().catch(() => {}));
    isFollowingLists = true;
    following ??= service.follow?.(({ uris, isListChanged }) => {
      for (const uri of uris) server?.sendResourceUpdated({ uri }).catch(() => {});
      if (isListChanged) server?.sendResourceListChanged().catch(() => {});
    });
    await following?.catch((error: unknown) => {
      following = undefined;
      log.warn('changes could not be followed', { error });
    });
  }

  const rounds = new Rounds();
  const heard: Transport = {
    async start() {
      transport.onmessage = (message) => {
        const isListening = 'method' in message && message.method === 'subscriptions/listen';
        // The SDK says at once that it listens: from then on no change may be missed.
        if (isListening) void follow().then(() => heard.onmessage?.(withoutUntold(message)));
        else heard.onmessage?.(message);
      };
      await transport.start();
    },
    send: (message) => transport.send(message),
    close: () => transport.close(),
  };
  serveStdio(
    () => {
      server = createModernServer({ service, rounds, caller: 'stdio' });
      return server;
    },
    {
      legacy: 'reject',
      transport: heard as NonNullable<Parameters<typeof serveStdio>[1]>['transport'] & object,
      onerror: (error) => log.warn('a message of the client was refused', { problem: error.message }),
    },
  );
}
