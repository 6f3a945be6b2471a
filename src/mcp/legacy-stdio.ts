import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type Implementation,
  RootsListChangedNotificationSchema,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { ClientProject } from './client-project.js';
import type { Exchange } from './exchange.js';
import { createLegacyServer } from './legacy-server.js';
import type { Service } from './service.js';

export interface LegacyStdioNeeds {
  project: ClientProject;
  /** The client has initialized: a session exists from here on. */
  begin(client: Implementation | undefined): void;
}

/** Serves the protocol until 2025-11-25 to the one client of a transport. */
export async function serveLegacy(service: Service, transport: Transport, needs: LegacyStdioNeeds): Promise<void> {
  const { project, begin } = needs;
  const server = createLegacyServer(service);
  server.oninitialized = () => {
    void project.settle(sideOf(server)).finally(() => begin(server.getClientVersion()));
  };
  server.setNotificationHandler(RootsListChangedNotificationSchema, () => project.changed(sideOf(server)));
  await server.connect(transport);
}

/** The client as it can be asked outside of any request. */
function sideOf(server: Server): Pick<Exchange, 'peer' | 'ask'> {
  return {
    peer: { info: server.getClientVersion(), capabilities: server.getClientCapabilities() },
    ask: (question, limitMs) => server.request(question as ServerRequest, z.looseObject({}), { timeout: limitMs }),
  };
}
