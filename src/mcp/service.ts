import type { Implementation, ServerCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { homepage, version } from '../base/version.js';
import { type Exchange, type Handlers, RequestError } from './exchange.js';
import { icon } from './icon.js';
import { methodNotFound } from './json-rpc.js';
import type { ResourceChanges } from './resource-changes.js';

/** What is served to a client. Both versions of the protocol are adapters over it. */
export interface Service {
  capabilities: Pick<ServerCapabilities, 'tools' | 'resources' | 'prompts'> & {
    completions?: Record<string, never>;
    logging?: Record<string, never>;
  };
  /** What the client's model reads first. */
  instructions(client: Implementation | undefined): string | Promise<string>;
  handlers: Handlers;
  /** Tells which resources change, until the function that it resolves to is called. */
  follow?(publish: (changes: ResourceChanges) => void): Promise<() => void>;
  /** Tells when the list of tools is no longer as this client has seen it, until the function returned is called. */
  followTools?(publish: () => void): () => void;
  /** Tells when the list of prompts may be another one, until the function returned is called. */
  followPrompts?(publish: () => void): () => void;
}

/** How the server names itself in each answer of protocol 2026-07-28. */
export const shortServerInfo: Implementation = { name: 'agent-runtime-mcp', title: 'Agent Runtime', version };

/** The same with all that a client may show of it. */
export const serverInfo: Implementation = {
  ...shortServerInfo,
  description: 'Goals, tasks and background work that outlive a session, shared by all sessions of a machine.',
  ...(homepage ? { websiteUrl: homepage } : {}),
  icons: [icon],
};

/** Answers one request by its method. Throws RequestError for a method that is not served. */
export async function answer(
  { handlers }: Pick<Service, 'handlers'>,
  method: string,
  params: unknown,
  exchange: Exchange,
) {
  const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
  if (!handler) throw new RequestError(methodNotFound, 'Method not found');
  return handler(params, exchange);
}
